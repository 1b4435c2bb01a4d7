/** The Meta simulator's people and the business on the simulated clock of a timeline. The same seed gives the same simulation. */
import { addDays, type Clock, dayMs, dayOf, dayStart, secondMs } from '../../src/time.ts';
import type { EventKind, Person, SimulatedEvent } from '../events/event.ts';
import { newPerson } from '../events/ids.ts';
import { hexOf, randomOf } from '../events/random.ts';
import { EventRecorder } from '../events/recorder.ts';
import { Timeline } from '../frame/timeline.ts';
import { MetaAccount } from './account.ts';
import type { MetaCredentials } from './credentials.ts';
import { type MetaDisturbance, MetaOutbox } from './outbox.ts';
import { eventsOfMetaDay, type MetaPlatform, metaPlatforms } from './people.ts';

type Options = {
  clock: Clock;
  seed: number;
  /** Approximate number of people of each platform at the start. */
  people: number;
  /** Age of the accounts in days at the start. No webhook is sent for events of that time. */
  pastDays: number;
  credentials: MetaCredentials;
  disturbance: MetaDisturbance;
};

/** The actions that a control call can request from a person. */
export const metaActions = ['write', 'tap', 'block'] as const;
export type MetaAction = (typeof metaActions)[number];

export class MetaSimulation {
  readonly account: MetaAccount;
  readonly outbox: MetaOutbox;
  readonly #options: Options;
  readonly #timeline: Timeline;
  #count = 0;

  constructor(options: Options) {
    const { clock, seed, pastDays, credentials, disturbance } = options;
    this.#options = options;
    const now = clock();
    const firstDay = dayOf(now - pastDays * dayMs, 'UTC');
    const startsAt = dayStart(firstDay, 'UTC');
    this.#timeline = new Timeline({ clock, startsAt, flush: () => this.outbox.flush(this.now()) });
    this.account = new MetaAccount(startsAt, seed);
    this.outbox = new MetaOutbox({
      ...{ seed, credentials, disturbance },
      schedule: () => this.#timeline.schedule,
    });
    this.#planDay(firstDay);
    this.#timeline.pass(now - 1);
  }

  /** The simulated time, ms. */
  now(): number {
    return this.#timeline.now();
  }

  /** Advances the clock, as Timeline. */
  run(ms = 0, stepMs = 0): Promise<void> {
    return this.#timeline.run(ms, stepMs);
  }

  /** Runs the task after all earlier tasks. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    return this.#timeline.inTurn(run);
  }

  /** Performs a person's action now and sends its webhook. An unknown person is a new one. */
  act(platform: MetaPlatform, person: Person | null, action: MetaAction): Promise<SimulatedEvent | null> {
    return this.inTurn(async () => {
      const random = this.random('act');
      const actor = person ?? newPerson(platform, random);
      if (action === 'block') {
        this.account.block(actor, this.now());
        return null;
      }
      const kind: EventKind = action === 'tap' ? 'postback' : 'message';
      const event = this.#newEvent(platform, actor, {
        kind,
        form: action === 'tap' ? 'get-started' : 'text',
      });
      this.record(event);
      await this.outbox.flush(this.now());
      return event;
    });
  }

  /** A message of the business to the person, sent now with the API. It brings an echo or statuses. */
  send(
    platform: MetaPlatform,
    person: Person,
    { form, statuses }: Pick<SimulatedEvent, 'form' | 'statuses'>,
  ): Promise<SimulatedEvent> {
    return this.inTurn(async () => {
      const event = this.#newEvent(platform, person, { kind: 'answer', form, ...(statuses && { statuses }) });
      this.record(event);
      await this.outbox.flush(this.now());
      return event;
    });
  }

  /** Records events that were simulated elsewhere, and sends their webhooks. */
  deliver(events: readonly SimulatedEvent[]): Promise<void> {
    return this.inTurn(async () => {
      for (const event of events) this.record(event);
      await this.outbox.flush(this.now());
    });
  }

  record(event: SimulatedEvent): void {
    this.account.record(event);
    this.outbox.enqueue(event);
  }

  /** A random sequence of its own for each call. */
  random(scope: string) {
    this.#count += 1;
    return randomOf(this.#options.seed, scope, this.#count);
  }

  /** An opaque id that depends on the seed and the scope. */
  id(...scope: readonly (string | number)[]): string {
    return hexOf(this.#options.seed, ...scope).slice(0, 24);
  }

  #newEvent(
    platform: MetaPlatform,
    person: Person,
    { kind, form, statuses }: Pick<SimulatedEvent, 'kind' | 'form' | 'statuses'>,
  ): SimulatedEvent {
    const now = Math.floor(this.now());
    // WhatsApp's times are whole seconds.
    const at = platform === 'whatsapp' ? Math.floor(now / secondMs) * secondMs : now;
    const visibleIds = person.id === null ? 'user-id' : person.userId === null ? 'number' : 'both';
    const details = platform === 'whatsapp' ? { visibleIds, ...(statuses && { statuses }) } : {};
    return new EventRecorder(platform, person, this.random('event')).add(kind, form, at, details as object);
  }

  #planDay(day: string): void {
    const { seed, people, pastDays } = this.#options;
    for (const platform of metaPlatforms) {
      const { events, blocks } = eventsOfMetaDay(this.account.peopleOf(platform), {
        ...{ platform, day, newcomers: pastDays === 0 ? 0 : people / pastDays },
        random: randomOf(seed, 'day', platform, day),
      });
      for (const event of events) this.#timeline.schedule.add(event.at, () => this.record(event));
      for (const { person, at } of blocks)
        this.#timeline.schedule.add(at, () => this.account.block(person, at));
    }
    const nextDay = addDays(day, 1);
    this.#timeline.schedule.add(dayStart(nextDay, 'UTC'), () => this.#planDay(nextDay));
  }
}
