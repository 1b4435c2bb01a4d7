/**
 * The account, its people and what they do, on the simulated clock of a timeline.
 *
 * The same seed and the same order of calls give the same simulation. Each day and each send has a random sequence of its own.
 */
import { addDays, type Clock, dayMs, dayOf, lineDayStart, lineZone, secondMs } from '../../src/time.ts';
import type { EventKind, Person, SimulatedEvent } from '../events/event.ts';
import { hexOf, randomOf } from '../events/random.ts';
import { EventRecorder } from '../events/recorder.ts';
import { Timeline } from '../frame/timeline.ts';
import { Account, type Interaction, type Send } from './account.ts';
import { eventsOfDay, reactionTo } from './behaviour.ts';
import { type Disturbance, Outbox, type Webhook } from './outbox.ts';
import { stateAt } from './people.ts';

type SimulationOptions = {
  clock: Clock;
  seed: number;
  /** Approximate number of friends at the start; the same number follows in the next `pastDays` days. */
  people: number;
  /** Age of the account in days at the start. No webhook is sent for events of that time. */
  pastDays: number;
  destination: string;
  channelSecret: string;
  webhook: Webhook;
  disturbance: Disturbance;
  /** True: people really open the URLs they click, when these lead to this machine. */
  opensLinks: boolean;
};

/** The actions that a control call can request from a person. */
export const actions = {
  follow: { kind: 'follow', form: 'new' },
  block: { kind: 'unfollow', form: 'unfollow' },
  unblock: { kind: 'follow', form: 'unblocked' },
  write: { kind: 'message', form: 'text' },
  tap: { kind: 'postback', form: 'postback' },
} as const satisfies Record<string, { kind: EventKind; form: string }>;
export type Action = keyof typeof actions;

const openMsMax = 5 * secondMs;

export class Simulation {
  readonly account: Account;
  readonly outbox: Outbox;
  readonly #options: SimulationOptions;
  readonly #timeline: Timeline;
  readonly #startedAt: number;
  #actCount = 0;
  #urlsToOpen: string[] = [];

  constructor(options: SimulationOptions) {
    const { seed, destination, channelSecret, webhook, disturbance, clock, pastDays } = options;
    this.#options = options;
    const now = clock();
    this.#startedAt = now;
    const firstDay = dayOf(now - pastDays * dayMs, lineZone);
    const startsAt = lineDayStart(firstDay);
    this.#timeline = new Timeline({ clock, startsAt, flush: () => this.#sendWebhooks() });
    this.account = new Account(startsAt);
    this.outbox = new Outbox({
      ...{ seed, destination, channelSecret, disturbance },
      schedule: this.#timeline.schedule,
      webhook: { ...webhook, active: false },
    });
    this.#planDay(firstDay);
    // The past, before a webhook was set.
    this.#timeline.pass(now - 1);
    this.outbox.webhook.active = webhook.active;
  }

  /** The simulated time, ms. */
  now(): number {
    return this.#timeline.now();
  }

  /** Advances the clock, as Timeline. */
  run(ms = 0, stepMs = 0): Promise<void> {
    return this.#timeline.run(ms, stepMs);
  }

  /** Performs a person's action now and sends its webhook. An unknown person is a new one. */
  act(person: Person, action: Action, data?: string): Promise<SimulatedEvent> {
    return this.inTurn(async () => {
      this.#actCount += 1;
      const random = randomOf(this.#options.seed, 'act', this.#actCount);
      const { kind, form } = actions[action];
      // Always active, so that the caller can reply to it.
      const details = { mode: 'active' as const, ...(data === undefined ? {} : { data }) };
      const event = new EventRecorder('line', person, random).add(kind, form, this.now(), details);
      this.#record(event);
      await this.#sendWebhooks();
      return event;
    });
  }

  /** Records events that were simulated elsewhere, and sends their webhooks. */
  deliver(events: readonly SimulatedEvent[]): Promise<void> {
    return this.inTurn(async () => {
      for (const event of events) this.#record(event);
      await this.#sendWebhooks();
    });
  }

  /** Accepts a send and schedules its recipients' reactions. */
  accept(send: Send): void {
    this.account.sends.push(send);
    const index = this.account.sends.length;
    for (const userId of send.recipients) {
      const recipient = this.account.people.get(userId);
      if (recipient === undefined) continue;
      const random = randomOf(this.#options.seed, 'send', index, userId);
      const { interactions, events } = reactionTo(send, recipient.person, random);
      for (const interaction of interactions) this.interact(send, interaction);
      this.#plan(events);
    }
  }

  /** Records an interaction with a send, now or in the future. */
  interact(send: Send, interaction: Interaction): void {
    send.interactions.push(interaction);
    if (interaction.kind !== 'click' || !this.#options.opensLinks) return;
    const { url } = interaction;
    if (isOnThisMachine(url)) this.#timeline.schedule.add(interaction.at, () => this.#urlsToOpen.push(url));
  }

  /** An id in the format of LINE's request ids. It depends on the seed, the start and the scope only. */
  id(...scope: readonly (string | number)[]): string {
    const hex = hexOf(this.#options.seed, this.#startedAt, ...scope);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  }

  /** Runs the task after all earlier tasks. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    return this.#timeline.inTurn(run);
  }

  async #sendWebhooks(): Promise<void> {
    const urls = this.#urlsToOpen.splice(0);
    await this.outbox.flush(this.now());
    for (const url of urls) await open(url);
  }

  #planDay(day: string): void {
    const { seed, people, pastDays } = this.#options;
    const newcomers = pastDays === 0 ? 0 : people / pastDays;
    const random = randomOf(seed, 'day', day);
    this.#plan(eventsOfDay([...this.account.people.values()], { day, newcomers, random }));
    const nextDay = addDays(day, 1);
    this.#timeline.schedule.add(lineDayStart(nextDay), () => this.#planDay(nextDay));
  }

  #plan(events: readonly SimulatedEvent[]): void {
    for (const event of events)
      this.#timeline.schedule.add(event.at, () => {
        if (this.#isPossible(event)) this.#record(event);
      });
  }

  #record(event: SimulatedEvent): void {
    this.account.record(event);
    this.outbox.enqueue(event);
  }

  // A planned event may have become impossible: a person who blocks the account cannot write or block again.
  #isPossible({ kind, person, at, groupId }: SimulatedEvent): boolean {
    if (groupId !== undefined) return true;
    const linePerson = person?.id ? this.account.people.get(person.id) : undefined;
    const state = linePerson === undefined ? 'stranger' : stateAt(linePerson, at);
    if (kind === 'follow') return state !== 'friend';
    return kind === 'unfollow' ? state === 'friend' : state !== 'blocked';
  }
}

function isOnThisMachine(url: string): boolean {
  return URL.canParse(url) && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}

// A failure to open a link concerns the server under test, so it does not stop the simulation.
async function open(url: string): Promise<void> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(openMsMax) }).catch(
    () => null,
  );
  await response?.arrayBuffer();
}
