/**
 * What can be done to a running LINE side that LINE itself would not offer: run the clock forward, let somebody do something,
 * set limits, fail on demand, and ask for the truth. `control-calls.ts` offers it over HTTP.
 */
import { dayMs, hourMs, minuteMs, secondMs } from '../../src/time.ts';
import { chanceOf } from '../chance.ts';
import { newPerson } from '../diary.ts';
import type { Happening, Person } from '../happening.ts';
import type { LineAccount } from '../line-account.ts';
import type { Interaction } from './account.ts';
import { readMessages } from './bubbles.ts';
import type { Fault, FaultKind, Faults } from './faults.ts';
import type { Limits } from './limits.ts';
import { invalidProperty, LineError } from './line-error.ts';
import type { Disturbance, Webhook } from './outbox.ts';
import { isUserId } from './requests.ts';
import type { Action, Simulation } from './simulation.ts';
import { reportedBy, type Truth, truthOf } from './truth.ts';

/** A call of `/v2/bot/…` that was made, and its answer's status; 0: none was given. */
export type CallRecord = { at: number; method: string; path: string; requestId: string; status: number };

/** What can be changed while it runs. */
export type Settings = {
  /** Calls an hour for each call that LINE limits so; null: no limit. Setting it fills all buckets. */
  callsPerHour: number | null;
  /** Messages a month; null: no limit. */
  quota: number | null;
  /** Days are ready so long after their end in UTC+9. */
  readyAfterHours: number;
  /** Others than verified accounts may not list their followers. */
  isVerified: boolean;
  webhook: Partial<Webhook & Disturbance>;
};

/** `stepMinutes` (0): webhooks of so much time go out together, several in one if set so: faster, and less like life. */
export type RunFor = {
  /** ISO 8601: to then, and by the rest from there. */
  until?: string;
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  stepMinutes?: number;
};
/** `data`: a postback's. Without `userId` somebody new does it. */
export type Act = { action: Action; userId?: string; data?: string };
export type Acted = { userId: string; webhookEventId: string; at: number };
/** `url` of a click; `percent` of a play: 0, 25, 50, 75 or 100. */
export type Interact = {
  requestId: string;
  userId: string;
  kind: Interaction['kind'];
  seq?: number;
  url?: string;
  percent?: 0 | 25 | 50 | 75 | 100;
};

const callsKeptMax = 100_000;

export class Control {
  readonly calls: CallRecord[] = [];
  readonly #simulation: Simulation;
  readonly #faults: Faults;
  readonly #limits: Limits;
  readonly #settings: Settings;
  #newcomers = 0;

  constructor(parts: { simulation: Simulation; faults: Faults; limits: Limits; settings: Settings }) {
    this.#simulation = parts.simulation;
    this.#faults = parts.faults;
    this.#limits = parts.limits;
    this.#settings = parts.settings;
  }

  /** The simulated time, ms. */
  now(): number {
    return this.#simulation.now();
  }

  /** Runs the clock forward; resolves when all that happens meanwhile has happened and its webhooks are out. */
  run({ until, days = 0, hours = 0, minutes = 0, seconds = 0, stepMinutes = 0 }: RunFor): Promise<void> {
    const there = until === undefined ? 0 : Math.max(0, Date.parse(until) - this.now());
    const ms = there + days * dayMs + hours * hourMs + minutes * minuteMs + seconds * secondMs;
    return this.#simulation.run(Math.round(ms), stepMinutes * minuteMs);
  }

  /** Lets a person do something now; its webhook is out when it resolves. Throws LineError 400 for a strange `userId`. */
  async act({ action, userId, data }: Act): Promise<Acted> {
    const person = userId === undefined ? this.#newPerson() : this.#personOf(userId);
    const { id, at } = await this.#simulation.act(person, action, data);
    return { userId: person.id ?? '', webhookEventId: id, at };
  }

  /** Lets a person deal with a send now. Throws LineError 404 for a send that is not known. */
  interact({ requestId, userId, kind, seq = 1, url = '', percent = 0 }: Interact): Promise<void> {
    const send = this.#simulation.account.sends.find((one) => one.requestId === requestId);
    if (send === undefined) throw new LineError(404, `There is no send ${requestId}`);
    if (!isUserId(userId)) throw invalidProperty('userId');
    const base = { userId, seq, at: this.now() };
    if (kind === 'click') this.#simulation.interact(send, { ...base, kind, url });
    else if (kind === 'play') this.#simulation.interact(send, { ...base, kind, percent });
    else this.#simulation.interact(send, { ...base, kind });
    return this.#simulation.run();
  }

  /** A broadcast made by hand in LINE Official Account Manager, of which no program knows. */
  broadcastByHand(text: string): { requestId: string; recipients: number } {
    const at = this.now();
    const { account } = this.#simulation;
    const requestId = this.#simulation.id('by hand', account.sends.length);
    const recipients = account.friendsAt(at);
    const bubbles = readMessages([{ type: 'text', text }]);
    const times = { acceptedAt: at, sentAt: at };
    const rest = { bubbles, unit: null, recipients, failure: null, interactions: [] };
    this.#simulation.accept({ kind: 'manager', requestId, ...times, ...rest });
    return { requestId, recipients: recipients.length };
  }

  /** Lets the next `count` calls (1) whose path begins so (`/v2/bot/`) fail. */
  fail(fault: Partial<Fault> & { kind: FaultKind }): void {
    const usual = { path: '/v2/bot/', count: 1, when: 'before', status: 500, delayMs: 3 * secondMs } as const;
    this.#faults.add({ ...usual, ...fault });
  }

  /** Ends all failures. */
  heal(): void {
    this.#faults.clear();
  }

  /** Changes what is given, and leaves the rest. */
  set({ webhook = {}, ...settings }: Partial<Settings>): void {
    const { outbox } = this.#simulation;
    const { endpoint, active, redelivery, ...disturbance } = webhook;
    if (endpoint !== undefined) outbox.webhook.endpoint = endpoint;
    outbox.webhook.active = active ?? outbox.webhook.active;
    outbox.webhook.redelivery = redelivery ?? outbox.webhook.redelivery;
    outbox.disturbance = { ...outbox.disturbance, ...disturbance };
    Object.assign(this.#settings, settings);
    if (settings.callsPerHour !== undefined) this.#limits.set(settings.callsPerHour);
  }

  truth(): Truth {
    return truthOf(this.#simulation);
  }

  /** The ids of the people who are friends now. */
  friends(): string[] {
    return this.#simulation.account.friendsAt(this.now());
  }

  /** The month's quota (0: none) and what was used of it, as LINE's calls would answer now. */
  quota(): LineAccount['quota'] {
    return { value: this.#settings.quota ?? 0, totalUsage: this.#simulation.account.usageAt(this.now()) };
  }

  /** The happenings whose webhooks were delivered, in order of time. */
  told(): Happening[] {
    return this.#simulation.outbox.told();
  }

  /** What LINE tells of the days that are ready, and of the account, as its calls would answer now. */
  reported(): LineAccount {
    return reportedBy(this.#simulation, this.#settings);
  }

  /** Notes a call; those of long ago are forgotten. */
  note(call: CallRecord): void {
    if (this.calls.length >= callsKeptMax) this.calls.shift();
    this.calls.push(call);
  }

  #newPerson(): Person {
    this.#newcomers += 1;
    return newPerson('line', chanceOf(0, this.#simulation.id('newcomer', this.#newcomers)));
  }

  #personOf(userId: string): Person {
    if (!isUserId(userId)) throw invalidProperty('userId');
    const known = this.#simulation.account.people.get(userId)?.person;
    return known ?? { platform: 'line', id: userId, userId: null, friendBefore: false };
  }
}
