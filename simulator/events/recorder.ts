/** Records the events of one person, each with an id in its platform's format. */
import type { WebhookPlatformName } from '../../src/platforms/platform.ts';
import type { EventKind, Person, SimulatedEvent } from './event.ts';
import { eventId } from './ids.ts';
import type { SeededRandom } from './random.ts';

type Details = Omit<SimulatedEvent, 'platform' | 'kind' | 'form' | 'id' | 'at' | 'person'>;

export class EventRecorder {
  readonly events: SimulatedEvent[] = [];
  readonly #platform: WebhookPlatformName;
  readonly #person: Person | null;
  readonly #random: SeededRandom;

  constructor(platform: WebhookPlatformName, person: Person | null, random: SeededRandom) {
    this.#platform = platform;
    this.#person = person;
    this.#random = random;
  }

  add(kind: EventKind, form: string, at: number, details: Details = {}): SimulatedEvent {
    const id = eventId(this.#platform, at, this.#random);
    const event = { platform: this.#platform, kind, form, id, at, person: this.#person, ...details };
    this.events.push(event);
    return event;
  }
}
