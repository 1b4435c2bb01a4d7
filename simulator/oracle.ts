/**
 * The truth of each figure, counted from the world in the plainest way, by the definitions of docs/figures.md and by nothing
 * of the server's code: it is what the server is held against. Slow is fine here; clever is not.
 */
import type { PlatformName } from '../src/platforms/platform.ts';
import { addDays, lineDayStart, minuteMs } from '../src/time.ts';
import { type Happening, type Person, personKey, type SentStatus, type What } from './happening.ts';
import type { World } from './world.ts';

export type PlatformTruth = {
  followers: number;
  blocks: number;
  /** Inbound and outbound. */
  messages: number;
  conversations: number;
  conversationMessages: number;
  /** Sum of the conversations' lengths, ms. */
  conversationMs: number;
  taggedContacts: number;
};

const conversationGapMs = 15 * minuteMs;

const followedBy: Record<PlatformName, readonly What[]> = {
  line: ['follow', 'unfollow'],
  facebook: ['message', 'postback', 'optin', 'referral'],
  instagram: ['message', 'postback'],
  whatsapp: ['message', 'postback'],
  liveChat: ['message'],
};

/** The figures of a platform since the beginning. */
export function platformTruth(world: World, platform: PlatformName): PlatformTruth {
  const happenings = world.happenings.filter((happening) => happening.platform === platform);
  const talks = conversationsOf(happenings);
  return {
    ...audienceOf(world, platform, happenings),
    messages:
      happenings.filter((happening) => messageTime(happening) !== null && !isReported(happening)).length +
      lineSendsOf(world, platform),
    conversations: talks.length,
    conversationMessages: sum(talks.map((talk) => talk.length)),
    conversationMs: sum(talks.map((talk) => talk[talk.length - 1]!.at - talk[0]!.at)),
    taggedContacts: new Set(
      world.tags.filter(({ person }) => person.platform === platform).map(({ person }) => personKey(person)),
    ).size,
  };
}

/** The person's available points at the instant (ms). */
export function pointsTruth(world: World, person: Person, at: number): number {
  const lots: { left: number; expiresAt: number }[] = [];
  for (const change of world.points) {
    if (personKey(change.person) !== personKey(person)) continue;
    if (change.kind === 'earn') {
      lots.push({ left: change.amount, expiresAt: change.expiresAt ?? Number.POSITIVE_INFINITY });
      continue;
    }
    let owed = change.amount;
    const valid = lots.filter(({ expiresAt }) => expiresAt > change.at);
    // The sort keeps the order of earning among equal expiries.
    for (const lot of valid.sort((a, b) => (a.expiresAt === b.expiresAt ? 0 : a.expiresAt - b.expiresAt))) {
      const taken = Math.min(owed, lot.left);
      lot.left -= taken;
      owed -= taken;
    }
  }
  return sum(lots.filter(({ expiresAt }) => expiresAt > at).map(({ left }) => left));
}

/** Messages of the kind that LINE delivered in the month (`YYYY-MM`, UTC+9). */
export function lineSendsInMonth(world: World, kind: string, month: string): number {
  const days = [...(world.line?.sends ?? [])].filter(([day]) => day.startsWith(month));
  return sum(days.map(([, counts]) => counts[kind] ?? 0));
}

function audienceOf(
  world: World,
  platform: PlatformName,
  happenings: readonly Happening[],
): { followers: number; blocks: number } {
  const histories = historiesOf(happenings);
  const follows = histories
    .map((history) => history.find(({ what }) => followedBy[platform].includes(what)))
    .filter((first) => first !== undefined);
  if (platform !== 'line') return { followers: follows.length, blocks: 0 };
  const reported = world.line?.followers.get(world.line.readyDay);
  if (!world.line || !reported) {
    return { followers: follows.length, blocks: histories.filter((history) => isBlocked(history)).length };
  }
  const dayEnd = lineDayStart(addDays(world.line.readyDay, 1));
  const blockedNow = histories.filter((history) => isBlocked(history)).length;
  const blockedThen = histories.filter((history) => wasBlocked(history, dayEnd)).length;
  return {
    followers: reported.followers + firstAdds(histories).filter(({ at }) => at >= dayEnd).length,
    blocks: Math.max(0, reported.blocks + blockedNow - blockedThen),
  };
}

/** Each first follow of a person who adds the account; one who blocks it first was a friend before. */
function firstAdds(histories: readonly Happening[][]): Happening[] {
  return histories.flatMap((history) => {
    const follows = history.filter(({ what }) => what === 'follow' || what === 'unfollow');
    const added = follows.find(({ what, form }) => what === 'follow' && form !== 'unblocked');
    return added && follows.every(({ at }) => at >= added.at) ? [added] : [];
  });
}

function isBlocked(history: readonly Happening[]): boolean {
  return history.findLast(({ what }) => what === 'follow' || what === 'unfollow')?.what === 'unfollow';
}

/** A person whose first turn is an unblock was a blocker before it. */
function wasBlocked(history: readonly Happening[], at: number): boolean {
  const turns = history.filter(({ what }) => what === 'follow' || what === 'unfollow');
  const [first] = turns;
  if (!first || first.at < at) return isBlocked(turns.filter((turn) => turn.at < at));
  return first.what === 'follow' && first.form === 'unblocked';
}

// Each person's happenings in order of time, ties by id; what is said in a group is about nobody.
function historiesOf(happenings: readonly Happening[]): Happening[][] {
  const histories = new Map<string, Happening[]>();
  for (const happening of happenings) {
    if (!happening.person || happening.group !== undefined) continue;
    const key = personKey(happening.person);
    histories.set(key, [...(histories.get(key) ?? []), happening]);
  }
  return [...histories.values()].map((history) =>
    history.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
  );
}

type Said = { at: number; isInbound: boolean };

function conversationsOf(happenings: readonly Happening[]): Said[][] {
  return historiesOf(happenings).flatMap((history) => {
    const said: Said[] = [];
    for (const happening of history) {
      const at = messageTime(happening);
      if (at !== null) said.push({ at, isInbound: happening.what === 'message' });
    }
    return cut(said.sort((a, b) => a.at - b.at)).filter((talk) => talk.some(({ isInbound }) => isInbound));
  });
}

function cut(said: readonly Said[]): Said[][] {
  const talks: Said[][] = [];
  let before: number | null = null;
  for (const message of said) {
    if (before === null || message.at - before > conversationGapMs) talks.push([]);
    talks[talks.length - 1]!.push(message);
    before = message.at;
  }
  return talks;
}

/** When the happening counts as a message; null: it is none. */
function messageTime({ platform, what, at, statuses }: Happening): number | null {
  if (what === 'message' || what === 'group-message') return at;
  if (what !== 'answer' && what !== 'group-answer') return null;
  return platform === 'whatsapp' ? earliestProof(statuses ?? []) : at;
}

// Any status but `failed` proves that the message went out.
function earliestProof(statuses: readonly SentStatus[]): number | null {
  const times = statuses.filter(({ status }) => status !== 'failed').map(({ at }) => at);
  return times.length > 0 ? Math.min(...times) : null;
}

// An answer on LINE is a message of its conversation, and in the numbers of the delivery report already.
function isReported({ platform, what }: Happening): boolean {
  return platform === 'line' && what === 'answer';
}

// LINE tells nothing of sent messages but the numbers of its delivery report.
function lineSendsOf(world: World, platform: PlatformName): number {
  if (platform !== 'line') return 0;
  return sum([...(world.line?.sends.values() ?? [])].flatMap((counts) => Object.values(counts)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
