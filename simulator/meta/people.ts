/** People of the Meta simulator, and what they and the business do on one day. Random sequences are passed in. */
import { dayMs, dayStart, secondMs } from '../../src/time.ts';
import { Calendar, conversationFrom } from '../events/calendar.ts';
import { messageForm, statusesFrom } from '../events/customers.ts';
import type { Person, SimulatedEvent } from '../events/event.ts';
import { newPerson } from '../events/ids.ts';
import type { SeededRandom } from '../events/random.ts';
import { EventRecorder } from '../events/recorder.ts';

export const metaPlatforms = ['facebook', 'instagram', 'whatsapp'] as const;
export type MetaPlatform = (typeof metaPlatforms)[number];

export type MetaPerson = {
  person: Person;
  platform: MetaPlatform;
  /** The time of the first message or tap; null: only the business has written. */
  firstAt: number | null;
  wroteAt: number | null;
  blockedAt: number | null;
  /** The person has deleted the account, so that the profile is gone. */
  isDeleted: boolean;
};

/** Meta needs the person's consent, which a first message gives, and hides people who block the business. */
export function hasProfile({ isDeleted, firstAt, blockedAt }: MetaPerson): boolean {
  return !isDeleted && firstAt !== null && blockedAt === null;
}

const writeShare = 0.05;
const answerShare = 0.4;
const blockShare = 0.004;
const templateShare = 0.01;
const tapShare = 0.25;

export type Block = { person: Person; at: number };

/** The events of a day (UTC), and the people who block the business. */
export function eventsOfMetaDay(
  people: readonly MetaPerson[],
  {
    platform,
    day,
    newcomers,
    random,
  }: { platform: MetaPlatform; day: string; newcomers: number; random: SeededRandom },
): { events: SimulatedEvent[]; blocks: Block[] } {
  const start = dayStart(day, 'UTC');
  const calendar = new Calendar(random, start, start + dayMs - 1);
  const count = Math.floor(newcomers) + (random.chance(newcomers % 1) ? 1 : 0);
  const strangers = Array.from({ length: count }, () => newPerson(platform, random));
  const present = people.filter(({ blockedAt, isDeleted }) => blockedAt === null && !isDeleted);
  const writers = present.filter(() => random.chance(writeShare)).map(({ person }) => person);
  const recipients = present.filter(() => platform === 'whatsapp' && random.chance(templateShare));
  const events = [
    ...strangers.flatMap((person) => conversation(person, { platform, random, calendar, isFirst: true })),
    ...writers.flatMap((person) => conversation(person, { platform, random, calendar, isFirst: false })),
    ...recipients.flatMap(({ person }) => template(person, random, calendar)),
  ];
  const blocks = present
    .filter(() => random.chance(blockShare))
    .map(({ person }) => ({ person, at: calendar.instant() }));
  return { events: events.filter((event) => calendar.includes(event)), blocks };
}

type Occasion = { platform: MetaPlatform; random: SeededRandom; calendar: Calendar; isFirst: boolean };

function conversation(person: Person, { platform, random, calendar, isFirst }: Occasion): SimulatedEvent[] {
  const isWhatsapp = platform === 'whatsapp';
  const recorder = new EventRecorder(platform, person, random);
  const tickMs = isWhatsapp ? secondMs : 1;
  const start = Math.floor(calendar.instant() / tickMs) * tickMs;
  if (isFirst && !isWhatsapp && random.chance(tapShare)) recorder.add('postback', 'get-started', start);
  const visibleIds = person.id === null ? 'user-id' : person.userId === null ? 'number' : 'both';
  for (const { at, by } of conversationFrom(start, random, tickMs, answerShare)) {
    if (by === 'person') recorder.add('message', messageForm(random), at, isWhatsapp ? { visibleIds } : {});
    else if (isWhatsapp)
      recorder.add('answer', 'text', at, { visibleIds, statuses: statusesFrom(at, random) });
    else recorder.add('answer', 'text', at);
  }
  return recorder.events;
}

function template(person: Person, random: SeededRandom, calendar: Calendar): SimulatedEvent[] {
  const at = Math.floor(calendar.instant() / secondMs) * secondMs;
  const visibleIds = person.id === null ? 'user-id' : 'number';
  const recorder = new EventRecorder('whatsapp', person, random);
  recorder.add('answer', 'template', at, { visibleIds, statuses: statusesFrom(at, random) });
  return recorder.events;
}
