/**
 * How customers on Messenger, Instagram and WhatsApp behave: some write once, some often, some only tap a button. Also the
 * conversations of groups. LINE's people are in line/behaviour.ts.
 */
import { hourMs, minuteMs, secondMs } from '../../src/time.ts';
import { type Calendar, conversationFrom, type Turn } from './calendar.ts';
import type { MessageStatus, Person, SimulatedEvent, VisibleIds } from './event.ts';
import { newGroupId } from './ids.ts';
import type { SeededRandom } from './random.ts';
import { EventRecorder } from './recorder.ts';

/** All events of the person within the calendar. */
export function eventsOfPerson(
  person: Person & { platform: 'facebook' | 'instagram' | 'whatsapp' },
  random: SeededRandom,
  calendar: Calendar,
): SimulatedEvent[] {
  const recorder = new EventRecorder(person.platform, person, random);
  if (person.platform === 'whatsapp') recordWhatsapp(person, recorder, random, calendar);
  else recordMessenger(person, recorder, random, calendar);
  return recorder.events.filter((event) => calendar.includes(event));
}

/** The messages of one group of these people. On LINE some writers stay unnamed. */
export function groupConversation(
  people: readonly Person[],
  random: SeededRandom,
  calendar: Calendar,
): SimulatedEvent[] {
  const platform = people[0]?.platform;
  if (platform === undefined || platform === 'liveChat') return [];
  const groupId = newGroupId(platform, random);
  const tickMs = platform === 'whatsapp' ? secondMs : 1;
  const events: SimulatedEvent[] = [];
  const start = wholeTicks(calendar.instant(), tickMs);
  for (const turn of conversationFrom(start, random, tickMs, platform === 'whatsapp' ? 0.2 : 0)) {
    const isUnnamed = turn.by === 'business' || (platform === 'line' && random.chance(0.3));
    const writer = isUnnamed ? null : (people[random.integer(0, people.length - 1)] ?? null);
    const recorder = new EventRecorder(platform, writer, random);
    if (turn.by === 'business') {
      recorder.add('group-answer', 'text', turn.at, { groupId, statuses: statusesFrom(turn.at, random) });
    } else {
      recorder.add('group-message', 'text', turn.at, { groupId, visibleIds: visibleIdsOf(writer, 'both') });
    }
    events.push(...recorder.events);
  }
  return events.filter((event) => calendar.includes(event));
}

/** The form of a written message. */
export function messageForm(random: SeededRandom): string {
  return random.weighted({ text: 80, image: 9, sticker: 8, location: 3 });
}

function recordMessenger(
  { platform }: Person,
  recorder: EventRecorder,
  random: SeededRandom,
  calendar: Calendar,
): void {
  const role = random.weighted({ writer: 78, tapper: 8, referred: 5, optedIn: 3, addressed: 4, reader: 2 });
  const start = calendar.instant();
  if (role === 'referred') recorder.add('referral', random.pick(['link', 'ad']), start);
  if (role === 'optedIn') recorder.add('optin', 'notification_messages', start);
  if (role === 'addressed') recorder.add('answer', 'text', start);
  if (role === 'reader') recorder.add('aside', 'read', start);
  if (role === 'tapper' || random.chance(0.2)) recorder.add('postback', 'get-started', start);
  if (role !== 'writer') return;
  const isInstagram = platform === 'instagram';
  for (const turn of conversations(random, calendar, { earliest: start, tickMs: 1, answerShare: 0.4 })) {
    if (turn.by === 'person') {
      const form = isInstagram && random.chance(0.15) ? 'story-reply' : messageForm(random);
      const message = recorder.add('message', form, turn.at);
      if (random.chance(0.06)) {
        const deletion = isInstagram ? 'deletion' : 'edit';
        const aside = random.pick([deletion, 'edit', 'reaction', 'unreaction', 'unknown']);
        recorder.add('aside', aside, turn.at + random.integer(1, minuteMs), { aboutId: message.id });
      }
    } else {
      const answer = recorder.add('answer', 'text', turn.at);
      const after = turn.at + random.integer(1, minuteMs);
      if (random.chance(0.3)) recorder.add('aside', 'delivery', after, { aboutId: answer.id });
      if (random.chance(0.3)) recorder.add('aside', 'read', after, { aboutId: answer.id });
    }
  }
}

// A person with two ids shows the number first, then both ids or, for some people, the user id alone. The last message shows
// both again, which proves that the ids belong to one person.
function recordWhatsapp(
  person: Person,
  recorder: EventRecorder,
  random: SeededRandom,
  calendar: Calendar,
): void {
  const turns = conversations(random, calendar, {
    earliest: calendar.from,
    tickMs: secondMs,
    answerShare: 0.4,
  });
  const lastMessage = turns.findLastIndex(({ by }) => by === 'person');
  const hiddenShare = random.pick([0.3, 1]);
  turns.forEach((turn, index) => {
    const later = random.chance(hiddenShare) ? 'user-id' : 'both';
    const preferredIds = index === lastMessage ? 'both' : index < turns.length / 2 ? 'number' : later;
    const visibleIds = visibleIdsOf(person, preferredIds);
    if (turn.by === 'business') {
      recorder.add('answer', 'text', turn.at, { visibleIds, statuses: statusesFrom(turn.at, random) });
      return;
    }
    const form = random.chance(0.1) ? random.pick(['button', 'interactive']) : messageForm(random);
    const message = recorder.add('message', form, turn.at, { visibleIds });
    if (random.chance(0.08)) {
      const aside = random.pick(['reaction', 'system', 'preference', 'unknown']);
      const at = turn.at + secondMs * random.integer(1, 60);
      recorder.add('aside', aside, at, { aboutId: message.id, visibleIds });
    }
  });
  const campaigns = random.integer(0, 2);
  for (let campaign = 0; campaign < campaigns; campaign += 1) {
    const at = wholeTicks(calendar.instant(), secondMs);
    const visibleIds = visibleIdsOf(person, 'number');
    recorder.add('answer', 'template', at, { visibleIds, statuses: statusesFrom(at, random) });
  }
}

/** The preferred ids, limited to those that the person has. */
function visibleIdsOf(person: Person | null, preferredIds: VisibleIds): VisibleIds {
  if (person?.userId == null) return 'number';
  return person.id === null ? 'user-id' : preferredIds;
}

/** The statuses of a sent message. WhatsApp reports them in any order, omits some, and its clocks disagree. */
export function statusesFrom(at: number, random: SeededRandom): MessageStatus[] {
  const after = (seconds: number) => at + secondMs * random.integer(1, seconds);
  const outcome = random.weighted({ read: 50, delivered: 25, failed: 8, readOnly: 8, app: 5, voice: 4 });
  if (outcome === 'failed') return [{ status: 'failed', at }];
  if (outcome === 'app')
    return [
      { status: 'echo', at: after(3) },
      { status: 'delivered', at },
    ];
  if (outcome === 'readOnly') return [{ status: 'read', at }];
  const statuses: MessageStatus[] = [{ status: 'sent', at: random.chance(0.2) ? after(10) : at }];
  statuses.push({ status: 'delivered', at: after(20) });
  if (outcome !== 'delivered') statuses.push({ status: 'read', at: after(600) });
  if (outcome === 'voice') statuses.push({ status: 'played', at: after(900) });
  return statuses;
}

function conversations(
  random: SeededRandom,
  calendar: Calendar,
  { earliest, tickMs, answerShare }: { earliest: number; tickMs: number; answerShare: number },
): Turn[] {
  const frequency = random.weighted({ never: 6, once: 25, sometimes: 49, often: 20 });
  const counts = { never: 0, once: 1, sometimes: random.integer(2, 4), often: random.integer(5, 9) };
  const turns: Turn[] = [];
  for (let index = 0; index < counts[frequency]; index += 1) {
    const start = wholeTicks(calendar.instant(earliest), tickMs);
    turns.push(...conversationFrom(start, random, tickMs, answerShare));
    // Some people return after a pause. A message within the pause joins both parts to one conversation.
    if (random.chance(0.1)) {
      const again = start + wholeTicks(random.integer(10 * minuteMs, 2 * hourMs), tickMs);
      turns.push(...conversationFrom(again, random, tickMs, answerShare));
    }
  }
  return turns.filter(({ at }) => at <= calendar.until).sort((a, b) => a.at - b.at);
}

function wholeTicks(ms: number, tickMs: number): number {
  return Math.floor(ms / tickMs) * tickMs;
}
