/**
 * Control of a running LINE simulator, beyond LINE's own calls: advance the clock, request actions of people, change settings,
 * inject faults, read the truth. `control-calls.ts` serves it over HTTP.
 */
import { secondMs } from '../../src/time.ts';
import type { Person, SimulatedEvent } from '../events/event.ts';
import { newPerson } from '../events/ids.ts';
import { randomOf } from '../events/random.ts';
import { type RunFor, runSimulation } from '../frame/control-calls.ts';
import type { Fault, FaultKind, Faults } from '../frame/faults.ts';
import { type Interaction, newSend } from './account.ts';
import { readMessages } from './bubbles.ts';
import { invalidProperty, LineError } from './line-error.ts';
import type { Disturbance, Webhook } from './outbox.ts';
import type { Profile } from './people.ts';
import type { RateLimits } from './rate-limits.ts';
import { type LineReport, reportOf } from './report.ts';
import { isUserId } from './request-fields.ts';
import type { Action, Simulation } from './simulation.ts';
import { type Truth, truthOf } from './truth.ts';

/** A call of `/v2/bot/…` and the status of its answer; 0: no answer. */
export type CallRecord = { at: number; method: string; path: string; requestId: string; status: number };

/** The settings that can change while the simulator runs. */
export type Settings = {
  /** Calls per hour of each operation that LINE limits; null: no limit. A change fills all buckets. */
  callsPerHour: number | null;
  /** Messages per month; null: no limit. */
  quota: number | null;
  /** Hours from the end of a day (UTC+9) until its figures are ready. */
  readyAfterHours: number;
  /** False: the account may not list its followers. */
  isVerified: boolean;
  webhook: Partial<Webhook & Disturbance>;
};

/** `stepMinutes` (0): the webhooks of this much time are sent together, which is faster and less realistic. */
/** `data`: of a postback. Without `userId` a new person acts. */
export type Act = { action: Action; userId?: string; data?: string };
type ActResult = { userId: string; webhookEventId: string; at: number };
/** `url` of a click; `percent` of a play: 0, 25, 50, 75 or 100. */
export type Interact = {
  requestId: string;
  userId: string;
  kind: Interaction['kind'];
  seq?: number;
  url?: string;
  percent?: 0 | 25 | 50 | 75 | 100;
};

type Parts = { simulation: Simulation; faults: Faults; limits: RateLimits; settings: Settings };

const callsMax = 100_000;

export class Control {
  /** The latest calls, oldest first. */
  readonly calls: CallRecord[] = [];
  readonly #parts: Parts;
  #newcomers = 0;

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

  /** Performs a person's action now. Resolves when its webhook is sent. Throws LineError 400 for an invalid `userId`. */
  async act({ action, userId, data }: Act): Promise<ActResult> {
    const person = userId === undefined ? this.#newPerson() : this.#personOf(userId);
    const { id, at } = await this.#parts.simulation.act(person, action, data);
    return { userId: person.id ?? '', webhookEventId: id, at };
  }

  /** A person changes the own profile. */
  changeProfile(userId: string, profile: Partial<Omit<Profile, 'userId'>>): void {
    this.#parts.simulation.account.profiles.set(userId, profile);
  }

  /** Records events that were simulated elsewhere. Resolves when their webhooks are sent. */
  deliver(events: readonly SimulatedEvent[]): Promise<void> {
    return this.#parts.simulation.deliver(events);
  }

  /** Performs a person's interaction with a send now. Throws LineError 404 for an unknown send. */
  interact({ requestId, userId, kind, seq = 1, url = '', percent = 0 }: Interact): Promise<void> {
    const send = this.#parts.simulation.account.sends.find((one) => one.requestId === requestId);
    if (send === undefined) throw new LineError(404, `There is no send ${requestId}`);
    if (!isUserId(userId)) throw invalidProperty('userId');
    const base = { userId, seq, at: this.now() };
    if (kind === 'click') this.#parts.simulation.interact(send, { ...base, kind, url });
    else if (kind === 'play') this.#parts.simulation.interact(send, { ...base, kind, percent });
    else this.#parts.simulation.interact(send, { ...base, kind });
    return this.#parts.simulation.run();
  }

  /** A broadcast made by hand in LINE Official Account Manager. The API does not report it as a send. */
  broadcastByHand(text: string): { requestId: string; recipients: number } {
    const { account } = this.#parts.simulation;
    const requestId = this.#parts.simulation.id('by hand', account.sends.length);
    const recipients = account.friendsAt(this.now());
    const bubbles = readMessages([{ type: 'text', text }]);
    const sentAt = this.now();
    this.#parts.simulation.accept(newSend({ kind: 'manager', requestId, sentAt, bubbles, recipients }));
    return { requestId, recipients: recipients.length };
  }

  /** Makes the next `count` calls (1) of the path (`/v2/bot/`) fail. */
  fail(fault: Partial<Fault> & { kind: FaultKind }): void {
    const defaults = {
      path: '/v2/bot/',
      count: 1,
      when: 'before',
      status: 500,
      delayMs: 3 * secondMs,
    } as const;
    this.#parts.faults.add({ ...defaults, ...fault });
  }

  /** Removes all faults. */
  heal(): void {
    this.#parts.faults.clear();
  }

  /** Changes the given settings only. */
  set({ webhook = {}, ...settings }: Partial<Settings>): void {
    const { outbox } = this.#parts.simulation;
    const { endpoint, active, redelivery, ...disturbance } = webhook;
    if (endpoint !== undefined) outbox.webhook.endpoint = endpoint;
    outbox.webhook.active = active ?? outbox.webhook.active;
    outbox.webhook.redelivery = redelivery ?? outbox.webhook.redelivery;
    outbox.disturbance = { ...outbox.disturbance, ...disturbance };
    Object.assign(this.#parts.settings, settings);
    if (settings.callsPerHour !== undefined) this.#parts.limits.set(settings.callsPerHour);
  }

  truth(): Truth {
    return truthOf(this.#parts.simulation, this.now());
  }

  /** The user ids of the current friends. */
  friends(): string[] {
    return this.#parts.simulation.account.friendsAt(this.now());
  }

  /** The month's quota (0: none) and its consumption. */
  quota(): LineReport['quota'] {
    return {
      value: this.#parts.settings.quota ?? 0,
      totalUsage: this.#parts.simulation.account.usageAt(this.now()),
    };
  }

  /** The events whose webhooks were delivered, in order of time. */
  deliveredEvents(): SimulatedEvent[] {
    return this.#parts.simulation.outbox.deliveredEvents();
  }

  /** The current answers of LINE's Insight and quota calls. */
  report(): LineReport {
    return reportOf(this.#parts.simulation.account, { now: this.now(), ...this.#parts.settings });
  }

  /** Records a call, and drops the oldest beyond the limit. */
  recordCall(call: CallRecord): void {
    if (this.calls.length >= callsMax) this.calls.shift();
    this.calls.push(call);
  }

  #newPerson(): Person {
    this.#newcomers += 1;
    return newPerson('line', randomOf(0, this.#parts.simulation.id('newcomer', this.#newcomers)));
  }

  #personOf(userId: string): Person {
    if (!isUserId(userId)) throw invalidProperty('userId');
    const linePerson = this.#parts.simulation.account.people.get(userId);
    return linePerson?.person ?? { platform: 'line', id: userId, userId: null };
  }
}
