/**
 * How people of each platform behave: who follows, blocks and comes back, who writes once and who often, who only taps a
 * button. In: a person, chance, a calendar. Out: what happens to the person, within the calendar's span.
 */
import { hourMs, minuteMs, secondMs } from '../src/time.ts';
import { type Calendar, type Turn, talkFrom } from './calendar.ts';
import type { Chance } from './chance.ts';
import { Diary, newGroup } from './diary.ts';
import type { Happening, Person, SentStatus, Shown } from './happening.ts';

/** Everything that happens to the person. Marks a LINE person as a friend from before where the life says so. */
export function lifeOf(person: Person, chance: Chance, calendar: Calendar): Happening[] {
  const { platform } = person;
  // Who writes in live chat does it live (live-chat.ts).
  if (platform === 'liveChat') return [];
  const diary = new Diary(platform, person, chance);
  if (platform === 'line') liveOnLine(person, diary, chance, calendar);
  else if (platform === 'whatsapp') liveOnWhatsapp(person, diary, chance, calendar);
  else liveOnMeta(person, diary, chance, calendar);
  return diary.happenings.filter(({ at }) => at >= calendar.from && at <= calendar.until);
}

/** What is written in a group of the people; on LINE some writers stay unnamed. */
export function groupLife(people: readonly Person[], chance: Chance, calendar: Calendar): Happening[] {
  const platform = people[0]?.platform;
  if (platform === undefined || platform === 'liveChat') return [];
  const group = newGroup(platform, chance);
  const tickMs = platform === 'whatsapp' ? secondMs : 1;
  const happenings: Happening[] = [];
  const start = wholeTicks(calendar.instant(), tickMs);
  for (const turn of talkFrom(start, chance, tickMs, platform === 'whatsapp' ? 0.2 : 0)) {
    const unnamed = turn.by === 'business' || (platform === 'line' && chance.happens(0.3));
    const writer = unnamed ? null : (people[chance.whole(0, people.length - 1)] ?? null);
    const diary = new Diary(platform, writer, chance);
    if (turn.by === 'business') {
      diary.add('group-answer', 'text', turn.at, { group, statuses: fateOf(turn.at, chance) });
    } else {
      diary.add('group-message', 'text', turn.at, { group, shown: shownBy(writer, 'both') });
    }
    happenings.push(...diary.happenings);
  }
  return happenings.filter(({ at }) => at >= calendar.from && at <= calendar.until);
}

function liveOnLine(person: Person, diary: Diary, chance: Chance, calendar: Calendar): void {
  const role = chance.weighted({ newcomer: 56, regular: 16, leaver: 10, waverer: 18 });
  person.friendBefore = role === 'regular' || role === 'leaver';
  const met = calendar.instant();
  if (role === 'leaver') {
    diary.add('unfollow', 'unfollow', met);
    return;
  }
  if (role !== 'regular') diary.add('follow', 'new', met);
  if (role === 'waverer') waver(diary, chance, calendar, met);
  for (const turn of talks(chance, calendar, { earliest: met, tickMs: 1, answerShare: 0 })) {
    const message = diary.add('message', writtenForm(chance), turn.at);
    if (chance.happens(0.08)) {
      const aside = chance.pick(['unsend', 'video-play', 'beacon', 'unknown']);
      diary.add('aside', aside, turn.at + chance.whole(1, minuteMs), { about: message.id });
    }
    if (chance.happens(0.1)) diary.add('postback', 'postback', turn.at + chance.whole(1, minuteMs));
  }
}

// Blocks, and comes back, some of them within the same millisecond: then the larger id decides.
function waver(diary: Diary, chance: Chance, calendar: Calendar, met: number): void {
  let at = met;
  for (let turn = chance.whole(1, 4), blocks = true; turn > 0; turn -= 1, blocks = !blocks) {
    at = chance.happens(0.3) ? at : calendar.instant(at);
    if (blocks) diary.add('unfollow', 'unfollow', at);
    else diary.add('follow', 'unblocked', at);
  }
}

function liveOnMeta(person: Person, diary: Diary, chance: Chance, calendar: Calendar): void {
  const role = chance.weighted({ writer: 78, tapper: 8, referred: 5, optedIn: 3, written: 4, reader: 2 });
  const met = calendar.instant();
  if (role === 'referred') diary.add('referral', chance.pick(['link', 'ad']), met);
  if (role === 'optedIn') diary.add('optin', 'notification_messages', met);
  if (role === 'written') diary.add('answer', 'text', met);
  if (role === 'reader') diary.add('aside', 'read', met);
  if (role === 'tapper' || chance.happens(0.2)) diary.add('postback', 'get-started', met);
  if (role !== 'writer') return;
  for (const turn of talks(chance, calendar, { earliest: met, tickMs: 1, answerShare: 0.4 })) {
    if (turn.by === 'person') {
      const form =
        person.platform === 'instagram' && chance.happens(0.15) ? 'story-reply' : writtenForm(chance);
      const message = diary.add('message', form, turn.at);
      if (chance.happens(0.06)) {
        const deletion = person.platform === 'instagram' ? 'deletion' : 'edit';
        const aside = chance.pick([deletion, 'edit', 'reaction', 'unreaction', 'unknown']);
        diary.add('aside', aside, turn.at + chance.whole(1, minuteMs), { about: message.id });
      }
    } else {
      const answer = diary.add('answer', 'text', turn.at);
      const after = turn.at + chance.whole(1, minuteMs);
      if (chance.happens(0.3)) diary.add('aside', 'delivery', after, { about: answer.id });
      if (chance.happens(0.3)) diary.add('aside', 'read', after, { about: answer.id });
    }
  }
}

function liveOnWhatsapp(person: Person, diary: Diary, chance: Chance, calendar: Calendar): void {
  // A person with both ids shows the number at first; later the user id beside it, or, for some, nothing but that until a
  // last message shows that both are one.
  const turns = talks(chance, calendar, { earliest: calendar.from, tickMs: secondMs, answerShare: 0.4 });
  const link = turns.findLastIndex(({ by }) => by === 'person');
  const hiddenShare = chance.pick([0.3, 1]);
  turns.forEach((turn, place) => {
    const later = chance.happens(hiddenShare) ? 'user-id' : 'both';
    const shown = shownBy(person, place === link ? 'both' : place < turns.length / 2 ? 'number' : later);
    if (turn.by === 'business') {
      diary.add('answer', 'text', turn.at, { shown, statuses: fateOf(turn.at, chance) });
      return;
    }
    const form = chance.happens(0.1) ? chance.pick(['button', 'interactive']) : writtenForm(chance);
    const message = diary.add('message', form, turn.at, { shown });
    if (chance.happens(0.08)) {
      const aside = chance.pick(['reaction', 'system', 'preference', 'unknown']);
      const at = turn.at + secondMs * chance.whole(1, 60);
      diary.add('aside', aside, at, { about: message.id, shown });
    }
  });
  const campaigns = chance.whole(0, 2);
  for (let sent = 0; sent < campaigns; sent += 1) {
    const at = wholeTicks(calendar.instant(), secondMs);
    diary.add('answer', 'template', at, { shown: shownBy(person, 'number'), statuses: fateOf(at, chance) });
  }
}

/** What a body can show of the person, if anything of that. */
function shownBy(person: Person | null, wanted: Shown): Shown {
  if (person?.userId == null) return 'number';
  return person.id === null ? 'user-id' : wanted;
}

// The platform tells what became of a message in any order, leaves steps out, and its clocks disagree.
function fateOf(at: number, chance: Chance): SentStatus[] {
  const after = (seconds: number) => at + secondMs * chance.whole(1, seconds);
  const fate = chance.weighted({ read: 50, delivered: 25, unsent: 8, skipped: 8, app: 5, voice: 4 });
  if (fate === 'unsent') return [{ status: 'failed', at }];
  if (fate === 'app')
    return [
      { status: 'echo', at: after(3) },
      { status: 'delivered', at },
    ];
  if (fate === 'skipped') return [{ status: 'read', at }];
  const statuses: SentStatus[] = [{ status: 'sent', at: chance.happens(0.2) ? after(10) : at }];
  statuses.push({ status: 'delivered', at: after(20) });
  if (fate !== 'delivered') statuses.push({ status: 'read', at: after(600) });
  if (fate === 'voice') statuses.push({ status: 'played', at: after(900) });
  return statuses;
}

function talks(
  chance: Chance,
  calendar: Calendar,
  { earliest, tickMs, answerShare }: { earliest: number; tickMs: number; answerShare: number },
): Turn[] {
  const kind = chance.weighted({ never: 6, once: 25, sometimes: 49, often: 20 });
  const count = { never: 0, once: 1, sometimes: chance.whole(2, 4), often: chance.whole(5, 9) }[kind];
  const turns: Turn[] = [];
  for (let talk = 0; talk < count; talk += 1) {
    const start = wholeTicks(calendar.instant(earliest), tickMs);
    turns.push(...talkFrom(start, chance, tickMs, answerShare));
    // Some come back after a pause that a message in between may close.
    if (chance.happens(0.1)) {
      const again = start + wholeTicks(chance.whole(10 * minuteMs, 2 * hourMs), tickMs);
      turns.push(...talkFrom(again, chance, tickMs, answerShare));
    }
  }
  return turns.filter(({ at }) => at <= calendar.until).sort((a, b) => a.at - b.at);
}

function writtenForm(chance: Chance): string {
  return chance.weighted({ text: 80, image: 9, sticker: 8, location: 3 });
}

function wholeTicks(ms: number, tickMs: number): number {
  return Math.floor(ms / tickMs) * tickMs;
}
