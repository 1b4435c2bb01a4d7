/**
 * What people do: on an ordinary day (follow, write, tap, block, come back), and with what the account sends them (see it,
 * open its URLs, play it, answer, block). Chance is passed in, so that the same people always do the same.
 */
import { dayMs, hourMs, lineDayStart, minuteMs, secondMs } from '../../src/time.ts';
import { Calendar, talkFrom } from '../calendar.ts';
import type { Chance } from '../chance.ts';
import { Diary, newPerson, variety } from '../diary.ts';
import type { Happening, Person } from '../happening.ts';
import { groupLife } from '../lives.ts';
import type { Interaction, Send } from './account.ts';
import type { Bubble } from './bubbles.ts';
import { type LinePerson, stateAt } from './people.ts';

const blockShare = 0.003;
const returnShare = 0.02;
const groupShare = 0.3;
const groupSize = 4;

/** What the people do on a day, and who follows on it: `newcomers` on average. */
export function dayOfPeople(
  people: readonly LinePerson[],
  { day, newcomers, chance }: { day: string; newcomers: number; chance: Chance },
): Happening[] {
  const start = lineDayStart(day);
  const calendar = new Calendar(chance, start, start + dayMs - 1);
  const count = Math.floor(newcomers) + (chance.happens(newcomers % 1) ? 1 : 0);
  const followed = Array.from({ length: count }, () => newcomerDay(chance, calendar));
  const others = people.flatMap((one) => friendDay(one, chance, calendar));
  const group = people.length >= groupSize && chance.happens(groupShare);
  const first = chance.whole(0, Math.max(0, people.length - groupSize));
  const writers = people.slice(first, first + groupSize).map(({ person }) => person);
  const talk = group ? groupLife(writers, chance, calendar) : [];
  return [...followed.flat(), ...others, ...talk].filter(({ at }) => at < start + dayMs);
}

/** What one person does with a send that reached them. */
export function reactionTo(
  send: Send,
  person: Person,
  chance: Chance,
): { interactions: Interaction[]; happenings: Happening[] } {
  const userId = person.id ?? '';
  const diary = new Diary('line', person, chance);
  const interactions: Interaction[] = [];
  if (!chance.happens(0.7)) return { interactions, happenings: [] };
  let at = send.sentAt + delayMs(chance);
  for (const bubble of send.bubbles) {
    at += chance.whole(secondMs, 20 * secondMs);
    const { seq } = bubble;
    for (let views = chance.happens(0.2) ? 2 : 1; views > 0; views -= 1) {
      interactions.push({ kind: 'impression', userId, at: at + (views - 1) * minuteMs, seq });
    }
    for (const url of bubble.urls) {
      if (!chance.happens(0.4)) continue;
      for (let opens = chance.happens(0.15) ? 2 : 1; opens > 0; opens -= 1) {
        interactions.push({ kind: 'click', userId, at: at + opens * 5 * secondMs, seq, url });
      }
    }
    if (bubble.isMedia) interactions.push(...plays(bubble, { userId, at, chance, diary }));
    for (const data of bubble.postbacks) {
      if (chance.happens(0.2)) diary.add('postback', 'postback', at + 3 * secondMs, { data });
    }
  }
  if (chance.happens(0.06)) diary.add('message', 'text', at + chance.whole(5 * secondMs, 5 * minuteMs));
  if (chance.happens(0.01)) diary.add('unfollow', 'unfollow', at + chance.whole(minuteMs, hourMs));
  return { interactions, happenings: diary.happenings };
}

function newcomerDay(chance: Chance, calendar: Calendar): Happening[] {
  const diary = new Diary('line', newPerson('line', chance), chance);
  const met = calendar.instant();
  diary.add('follow', 'new', met);
  if (chance.happens(0.4)) talk(diary, chance, met + chance.whole(5 * secondMs, 10 * minuteMs));
  return diary.happenings;
}

function friendDay(one: LinePerson, chance: Chance, calendar: Calendar): Happening[] {
  const diary = new Diary('line', one.person, chance);
  const state = stateAt(one, calendar.from);
  if (state === 'blocker') {
    if (chance.happens(returnShare)) diary.add('follow', 'unblocked', calendar.instant());
    return diary.happenings;
  }
  // Some write every tenth day, most hardly ever.
  const talkShare = [0.1, 0.06, 0.03, 0.01, 0.01][variety(`habit ${one.userId}`, 5)] ?? 0;
  if (chance.happens(talkShare)) talk(diary, chance, calendar.instant());
  if (chance.happens(talkShare / 4)) diary.add('postback', 'postback', calendar.instant());
  if (state === 'friend' && chance.happens(blockShare)) diary.add('unfollow', 'unfollow', calendar.instant());
  return diary.happenings;
}

function talk(diary: Diary, chance: Chance, start: number): void {
  for (const { at } of talkFrom(start, chance, 1, 0)) {
    const form = chance.weighted({ text: 80, image: 9, sticker: 8, location: 3 });
    const message = diary.add('message', form, at);
    if (chance.happens(0.02)) diary.add('aside', 'unsend', at + secondMs, { about: message.id });
  }
}

// Most look soon, some after days, a few when LINE counts no longer (14 days).
function delayMs(chance: Chance): number {
  const when = chance.weighted({ soon: 60, today: 25, week: 12, late: 3 });
  if (when === 'soon') return chance.whole(5 * secondMs, 2 * hourMs);
  if (when === 'today') return chance.whole(2 * hourMs, dayMs);
  if (when === 'week') return chance.whole(dayMs, 7 * dayMs);
  return chance.whole(13 * dayMs, 20 * dayMs);
}

type Playing = { userId: string; at: number; chance: Chance; diary: Diary };

function plays({ seq, trackingId }: Bubble, { userId, at, chance, diary }: Playing): Interaction[] {
  const reached = chance.weighted({ none: 40, start: 10, quarter: 10, half: 10, most: 10, all: 20 });
  const until = { none: -1, start: 0, quarter: 25, half: 50, most: 75, all: 100 }[reached];
  const played = ([0, 25, 50, 75, 100] as const).filter((percent) => percent <= until);
  const last = at + 30 * secondMs;
  if (until === 100 && trackingId !== null) diary.add('aside', 'video-play', last, { data: trackingId });
  return played.map((percent) => ({
    kind: 'play',
    userId,
    at: at + (percent * 30 * secondMs) / 100,
    seq,
    percent,
  }));
}
