/** Control of a running Meta simulator, beyond Meta's own calls. `control-calls.ts` serves it over HTTP. */
import { secondMs } from '../../src/time.ts';
import { type Person, personKey, type SimulatedEvent } from '../events/event.ts';
import { type RunFor, runSimulation } from '../frame/control-calls.ts';
import type { Fault, FaultKind, Faults } from '../frame/faults.ts';
import { detailedMessages } from './account.ts';
import type { TokenKind, TokenState } from './credentials.ts';
import { GraphError, type GraphFault, invalidParameter } from './graph-error.ts';
import { historyBodies } from './history.ts';
import type { MetaDisturbance, Subscription } from './outbox.ts';
import { hasProfile, type MetaPlatform } from './people.ts';
import type { MetaRateLimits } from './rate-limits.ts';
import type { MetaAction, MetaSimulation } from './simulation.ts';
import { type MetaTruth, metaTruthOf } from './truth.ts';

/** A call of the Graph API, without its tokens, and the status of its answer; 0: no answer. */
export type MetaCallRecord = { at: number; method: string; path: string; query: string; status: number };

export type MetaSettings = {
  /** Calls of an account in an hour; null: no limit. A change forgets all calls. */
  callsPerHour: number | null;
  /** Hours from the end of a day until its insights are ready. */
  readyAfterHours: number;
  /** Below 100, the page has no insights. */
  pageLikes: number;
  quality: 'GREEN' | 'YELLOW' | 'RED' | 'UNKNOWN';
  messagingLimit: string;
};
export type MetaChange = Partial<MetaSettings> & {
  webhook?: Partial<MetaDisturbance>;
  /** `expiresAt` in ISO 8601; null: it does not expire. */
  tokens?: Partial<Record<TokenKind, { expiresAt?: string | null; isRevoked?: boolean; scopes?: string[] }>>;
};

export type MetaAct = { platform: MetaPlatform; action: MetaAction; personId?: string };
export type MetaFault = {
  path?: string;
  count?: number;
  /** An error of Graph, such as 190, 4, 80007 or 551; or `kind`, as in the LINE simulator. */
  code?: number;
  subcode?: number;
  status?: number;
  message?: string;
  kind?: FaultKind;
  when?: Fault['when'];
  delayMs?: number;
};

type Parts = {
  simulation: MetaSimulation;
  faults: Faults;
  graphFaults: { fault: GraphFault; path: string; count: number }[];
  limits: MetaRateLimits;
  settings: MetaSettings;
  tokens: Record<TokenKind, TokenState>;
  phoneNumber: { businessAccountId: string; phoneNumberId: string; phoneNumber: string };
};

const callsMax = 100_000;

export class MetaControl {
  /** The latest calls, oldest first. */
  readonly calls: MetaCallRecord[] = [];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The simulated time, ms. */
  now(): number {
    return this.#parts.simulation.now();
  }

  /** Advances the clock. Resolves when all events of that time have happened and their webhooks are sent. */
  run(run: RunFor): Promise<void> {
    return runSimulation(this.#parts.simulation, run);
  }

  /** Performs a person's action now; without `personId` a new person's. Resolves when its webhook is sent. */
  async act({
    platform,
    action,
    personId,
  }: MetaAct): Promise<{ personId: string | null; id: string | null }> {
    const { simulation } = this.#parts;
    const known = personId === undefined ? undefined : simulation.account.findById(platform, personId);
    if (personId !== undefined && !known)
      throw new GraphError(invalidParameter(`There is no person ${personId}`));
    const event = await simulation.act(platform, known?.person ?? null, action);
    return { personId: event?.person?.id ?? personId ?? null, id: event?.id ?? null };
  }

  /** Records events that were simulated elsewhere. Resolves when their webhooks are sent. */
  deliver(events: readonly SimulatedEvent[]): Promise<void> {
    return this.#parts.simulation.deliver(events);
  }

  /** Sends the chat history of the phone app, as after coexistence begins. Returns the number of webhooks. */
  async sendHistory(): Promise<{ webhooks: number }> {
    const { simulation, phoneNumber } = this.#parts;
    const bodies = historyBodies(simulation.account.messagesOf('whatsapp'), phoneNumber);
    for (const body of bodies) await simulation.outbox.post('whatsapp', body);
    return { webhooks: bodies.length };
  }

  /** Subscribes a webhook without its handshake. */
  subscribe(platform: MetaPlatform, subscription: Subscription): void {
    this.#parts.simulation.outbox.subscriptions.set(platform, subscription);
  }

  /** Makes the next `count` (1) calls fail whose path begins with `path` (any). */
  fail({ path = '/', count = 1, code, subcode, status = 400, message = '', ...rest }: MetaFault): void {
    if (code === undefined) {
      const { kind = 'error', when = 'before', delayMs = 3 * secondMs } = rest;
      this.#parts.faults.add({ path, count, kind, when, delayMs, status: status === 400 ? 500 : status });
      return;
    }
    const details = subcode === undefined ? {} : { subcode };
    const text = message === '' ? `(#${code}) Requested error` : message;
    this.#parts.graphFaults.push({ path, count, fault: { status, code, message: text, ...details } });
  }

  /** Removes all faults. */
  heal(): void {
    this.#parts.faults.clear();
    this.#parts.graphFaults.length = 0;
  }

  /** Changes the given settings only. */
  set({ webhook, tokens = {}, ...settings }: MetaChange): void {
    const { simulation, limits } = this.#parts;
    simulation.outbox.disturbance = { ...simulation.outbox.disturbance, ...webhook };
    Object.assign(this.#parts.settings, settings);
    if (settings.callsPerHour !== undefined) limits.set(settings.callsPerHour);
    for (const [kind, { expiresAt, ...change }] of Object.entries(tokens)) {
      const state = this.#parts.tokens[kind as TokenKind];
      Object.assign(state, change);
      if (expiresAt !== undefined) state.expiresAt = expiresAt === null ? null : Date.parse(expiresAt);
    }
  }

  truth(): MetaTruth {
    return metaTruthOf(this.#parts.simulation, this.now());
  }

  /** The ids of the messages whose details Meta gives in conversations: the latest 20 of each person. */
  historyIds(platform: MetaPlatform): string[] {
    const messages = this.#parts.simulation.account.messagesOf(platform);
    const threads = Map.groupBy(messages, ({ person, id }) => (person ? personKey(person) : id));
    return [...threads.values()].flatMap((thread) => thread.slice(-detailedMessages).map(({ id }) => id));
  }

  /** True when the profile of a person who wrote can be read now. */
  hasProfile(person: Person): boolean {
    const known = this.#parts.simulation.account.people.get(personKey(person));
    return known !== undefined && hasProfile(known);
  }

  /** The events whose webhooks were delivered. */
  deliveredEvents(): SimulatedEvent[] {
    return this.#parts.simulation.outbox.deliveredEvents();
  }

  /** Records a call, and drops the oldest beyond the limit. */
  recordCall(call: MetaCallRecord): void {
    if (this.calls.length >= callsMax) this.calls.shift();
    this.calls.push(call);
  }
}
