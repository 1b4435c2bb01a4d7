/**
 * Behaviour of people on LINE: on an ordinary day (follow, write, tap, block, unblock), and in reaction to a send (view, click,
 * play, answer, block). Random sequences are passed in, so that a seed always gives the same behaviour.
 */
import { dayMs, hourMs, lineDayStart, minuteMs, secondMs } from '../../src/time.ts';
import { Calendar, conversationFrom } from '../events/calendar.ts';
import { groupConversation, messageForm } from '../events/customers.ts';
import type { Person, SimulatedEvent } from '../events/event.ts';
import { newPerson, stableNumber } from '../events/ids.ts';
import type { SeededRandom } from '../events/random.ts';
import { EventRecorder } from '../events/recorder.ts';
import type { Interaction, Send } from './account.ts';
import type { Bubble } from './bubbles.ts';
import { type LinePerson, stateAt } from './people.ts';

const blockShare = 0.003;
const unblockShare = 0.02;
const groupShare = 0.3;
const groupSize = 4;
/** The shares of days on which people write; most write rarely. */
const writeShares = [0.1, 0.06, 0.03, 0.01, 0.01] as const;

/** The events of a day: of existing people, and of new friends (`newcomers` on average). */
export function eventsOfDay(
  people: readonly LinePerson[],
  { day, newcomers, random }: { day: string; newcomers: number; random: SeededRandom },
): SimulatedEvent[] {
  const start = lineDayStart(day);
  const calendar = new Calendar(random, start, start + dayMs - 1);
  const count = Math.floor(newcomers) + (random.chance(newcomers % 1) ? 1 : 0);
  const follows = Array.from({ length: count }, () =>
    firstDayOf(newPerson('line', random), random, calendar),
  );
  const others = people.flatMap((person) => dayOfPerson(person, random, calendar));
  const hasGroup = people.length >= groupSize && random.chance(groupShare);
  const first = random.integer(0, Math.max(0, people.length - groupSize));
  const writers = people.slice(first, first + groupSize).map(({ person }) => person);
  const group = hasGroup ? groupConversation(writers, random, calendar) : [];
  return [...follows.flat(), ...others, ...group].filter(({ at }) => at < start + dayMs);
}

/** The reaction of one recipient to a send. */
export function reactionTo(
  send: Send,
  person: Person,
  random: SeededRandom,
): { interactions: Interaction[]; events: SimulatedEvent[] } {
  const userId = person.id ?? '';
  const recorder = new EventRecorder('line', person, random);
  const interactions: Interaction[] = [];
  if (!random.chance(0.7)) return { interactions, events: [] };
  let at = send.sentAt + delayMs(random);
  for (const bubble of send.bubbles) {
    at += random.integer(secondMs, 20 * secondMs);
    const { seq } = bubble;
    for (let views = random.chance(0.2) ? 2 : 1; views > 0; views -= 1) {
      interactions.push({ kind: 'impression', userId, at: at + (views - 1) * minuteMs, seq });
    }
    for (const url of bubble.urls) {
      if (!random.chance(0.4)) continue;
      for (let clicks = random.chance(0.15) ? 2 : 1; clicks > 0; clicks -= 1) {
        interactions.push({ kind: 'click', userId, at: at + clicks * 5 * secondMs, seq, url });
      }
    }
    if (bubble.isMedia) interactions.push(...plays(bubble, { userId, at, random, recorder }));
    for (const data of bubble.postbacks) {
      if (random.chance(0.2)) recorder.add('postback', 'postback', at + 3 * secondMs, { data });
    }
  }
  if (random.chance(0.06)) recorder.add('message', 'text', at + random.integer(5 * secondMs, 5 * minuteMs));
  if (random.chance(0.01)) recorder.add('unfollow', 'unfollow', at + random.integer(minuteMs, hourMs));
  return { interactions, events: recorder.events };
}

function firstDayOf(person: Person, random: SeededRandom, calendar: Calendar): SimulatedEvent[] {
  const recorder = new EventRecorder('line', person, random);
  const followedAt = calendar.instant();
  recorder.add('follow', 'new', followedAt);
  if (random.chance(0.4)) write(recorder, random, followedAt + random.integer(5 * secondMs, 10 * minuteMs));
  return recorder.events;
}

function dayOfPerson(person: LinePerson, random: SeededRandom, calendar: Calendar): SimulatedEvent[] {
  const recorder = new EventRecorder('line', person.person, random);
  const state = stateAt(person, calendar.from);
  if (state === 'blocked') {
    if (random.chance(unblockShare)) recorder.add('follow', 'unblocked', calendar.instant());
    return recorder.events;
  }
  const writeShare = writeShares[stableNumber(`habit ${person.userId}`, writeShares.length)] ?? 0;
  if (random.chance(writeShare)) write(recorder, random, calendar.instant());
  if (random.chance(writeShare / 4)) recorder.add('postback', 'postback', calendar.instant());
  if (state === 'friend' && random.chance(blockShare))
    recorder.add('unfollow', 'unfollow', calendar.instant());
  return recorder.events;
}

function write(recorder: EventRecorder, random: SeededRandom, start: number): void {
  for (const { at } of conversationFrom(start, random, 1, 0)) {
    const message = recorder.add('message', messageForm(random), at);
    if (random.chance(0.02)) recorder.add('aside', 'unsend', at + secondMs, { aboutId: message.id });
  }
}

// Most people look soon, some after days, a few after LINE has stopped counting (14 days).
function delayMs(random: SeededRandom): number {
  const when = random.weighted({ soon: 60, today: 25, week: 12, late: 3 });
  if (when === 'soon') return random.integer(5 * secondMs, 2 * hourMs);
  if (when === 'today') return random.integer(2 * hourMs, dayMs);
  if (when === 'week') return random.integer(dayMs, 7 * dayMs);
  return random.integer(13 * dayMs, 20 * dayMs);
}

type Player = { userId: string; at: number; random: SeededRandom; recorder: EventRecorder };

function plays({ seq, trackingId }: Bubble, { userId, at, random, recorder }: Player): Interaction[] {
  const end = random.weighted({ none: 40, start: 10, quarter: 10, half: 10, most: 10, all: 20 });
  const until = { none: -1, start: 0, quarter: 25, half: 50, most: 75, all: 100 }[end];
  const percents = ([0, 25, 50, 75, 100] as const).filter((percent) => percent <= until);
  const endAt = at + 30 * secondMs;
  if (until === 100 && trackingId !== null) recorder.add('aside', 'video-play', endAt, { data: trackingId });
  return percents.map((percent) => ({
    kind: 'play',
    userId,
    at: at + (percent * 30 * secondMs) / 100,
    seq,
    percent,
  }));
}
