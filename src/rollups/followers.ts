/**
 * Followers and blocks (figures.md, section 4): the pure fold of one contact, and the state of contacts that a batch writes.
 *
 * A contact is a follower from its earliest event that makes one. Its block state is decided by the event with the latest time
 * (ties: the larger key). A day's `blocks` is the number of contacts that entered that state less the number that left it. Both
 * follow from the set of the contact's events alone, so the order of arrival does not matter.
 */
import type { Queryable } from '../database/client.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { eventsOfContacts } from '../events/contact-events.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import {
  blockStateAfter,
  type EarlierFriend,
  type Event,
  earlierFriendOf,
  earlierFriends,
  eventKinds,
  makesFollower,
} from '../platforms/event.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { Tally } from './counters.ts';

/** A contact's first follow (ms), and what its event shows about the contact before it. */
export type FirstFollow = { followedAt: number; earlierFriend: EarlierFriend | null };

/** The state of a contact as a row of `contacts` stores it. `followedAt` null: no follower. */
export type FollowerState = {
  botId: string;
  contactId: string;
  followedAt: number | null;
  earlierFriend: EarlierFriend | null;
  blocked: boolean;
  everBlocked: boolean;
};

/** A contact in a batch. */
export type FoldedContact = FollowerState & {
  platform: PlatformName;
  /** True when the state differs from the row. */
  isChanged: boolean;
  /** When the event that decides `blocked` happened (ms); null: this batch does not change the block state. */
  blockedAt: number | null;
};

/** An event with its contact. */
export type ContactEvent = Event & { person: FoldedContact | null };
/** A stored event before and after the reports of a batch. */
export type EventChange<Of extends Event = ContactEvent> = { before: Of; after: Of };

/** An event that decides whether its contact is blocked. */
export type BlockEvent = { key: string; at: number; isBlock: boolean };

/** The follow that an event makes its contact's; null when it makes no follower. */
function followOf(event: Event): FirstFollow | null {
  const { platform, kind, happenedAt } = event;
  if (!makesFollower(platform, kind)) return null;
  return { followedAt: happenedAt, earlierFriend: earlierFriendOf(platform, event) };
}

/** The first follow after further events of the contact; `first` null: the contact was no follower. Tallies the difference. */
export function foldFollows(
  tally: Tally,
  platform: PlatformName,
  first: FirstFollow | null,
  events: readonly Event[],
): FirstFollow | null {
  return events.reduce((earliest, event) => {
    const follow = followOf(event);
    if (follow === null || (earliest !== null && !isBefore(follow, earliest))) return earliest;
    if (earliest !== null) tallyFollow(tally, platform, earliest, -1);
    tallyFollow(tally, platform, follow, 1);
    return follow;
  }, first);
}

/** Counts the follower on the day of its first follow. */
function tallyFollow(
  tally: Tally,
  platform: PlatformName,
  { followedAt, earlierFriend }: FirstFollow,
  sign: 1 | -1,
): void {
  const change = {
    followers: 1,
    earlierFriends: earlierFriend === null ? 0 : 1,
    earlierBlockers: earlierFriend === 'blocker' ? 1 : 0,
  };
  tally.add(platform, followedAt, change, sign);
}

function isBefore(a: FirstFollow, b: FirstFollow): boolean {
  const rank = ({ earlierFriend }: FirstFollow) => [null, ...earlierFriends].indexOf(earlierFriend);
  return (a.followedAt - b.followedAt || rank(a) - rank(b)) < 0;
}

/** The events that decide a block state. */
export function blockEvents(events: readonly Event[]): BlockEvent[] {
  return events.flatMap(({ platform, key, kind, happenedAt }) => {
    const isBlock = blockStateAfter(platform, kind);
    return isBlock === null ? [] : [{ key, at: happenedAt, isBlock }];
  });
}

/** Replaces the tally of a contact's earlier block events by the tally of all. Returns the block state. */
export function foldBlocks(
  tally: Tally,
  platform: PlatformName,
  before: readonly BlockEvent[],
  after: readonly BlockEvent[],
): boolean {
  tallyTransitions(tally, platform, before, -1);
  return tallyTransitions(tally, platform, after, 1);
}

function tallyTransitions(
  tally: Tally,
  platform: PlatformName,
  events: readonly BlockEvent[],
  sign: 1 | -1,
): boolean {
  let isBlocked = false;
  for (const { at, isBlock } of [...events].sort(byTimeThenKey)) {
    if (isBlock !== isBlocked) tally.add(platform, at, { blocks: isBlock ? 1 : -1 }, sign);
    isBlocked = isBlock;
  }
  return isBlocked;
}

function byTimeThenKey(a: BlockEvent, b: BlockEvent): number {
  return a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** The events of one bot in a batch. */
export type BotChanges = {
  tally: Tally;
  newEvents: readonly ContactEvent[];
  changes: readonly EventChange[];
};

/**
 * Folds a batch's events into the state of their contacts. A new event can only make a contact a follower earlier. A contact that lost
 * an event, and one whose block state may differ now, is folded from its whole history, read after the events are written.
 */
export async function foldFollowers(sql: Queryable, bots: readonly BotChanges[]): Promise<void> {
  const refolds = bots.map((bot) => ({ ...bot, contacts: foldNewFollows(bot) }));
  const contacts = refolds.flatMap((bot) => [...bot.contacts]);
  if (contacts.length === 0) return;
  const events = await eventsOfContacts(sql, contacts, followerKinds);
  const histories = Map.groupBy(events, historyOf);
  for (const refold of refolds) refoldContacts(refold, histories);
}

/** The key of a contact's history. */
function historyOf({ botId, contactId }: { botId: string; contactId: string | null }): string {
  return `${botId} ${contactId}`;
}

/** Folds the follows of contacts that need no history. Returns the contacts that do. */
function foldNewFollows({ tally, newEvents, changes }: BotChanges): Set<FoldedContact> {
  const addedEvents = changes.length === 0 ? newEvents : [...newEvents, ...changes.map(({ after }) => after)];
  const replacedEvents = changes.map(({ before }) => before);
  const contacts = contactsToRefold(addedEvents, replacedEvents);
  for (const event of addedEvents) {
    const { person, platform, kind } = event;
    if (!person || contacts.has(person) || !makesFollower(platform, kind)) continue;
    setFollow(person, foldFollows(tally, platform, firstFollow(person), [event]));
  }
  return contacts;
}

function refoldContacts(
  { tally, newEvents, changes, contacts }: BotChanges & { contacts: ReadonlySet<FoldedContact> },
  histories: ReadonlyMap<string, readonly Event[]>,
): void {
  const addedKeys = new ByPlatform<true>();
  for (const { platform, key } of [...newEvents, ...changes.map(({ after }) => after)])
    addedKeys.set(platform, key, true);
  const replacedEvents = changes.map(({ before }) => before);
  for (const person of contacts) {
    const history = histories.get(historyOf(person)) ?? [];
    const first = firstFollow(person);
    if (first !== null) tallyFollow(tally, person.platform, first, -1);
    setFollow(person, foldFollows(tally, person.platform, null, history));
    const earlier = history.filter(({ platform, key }) => !addedKeys.get(platform, key));
    const replaced = replacedEvents.filter((event) => event.person === person);
    setBlocks(tally, person, blockEvents([...earlier, ...replaced]), blockEvents(history));
  }
}

/** The kinds that make a follower or decide a block state on any platform. */
const followerKinds = eventKinds.filter((kind) =>
  platformNames.some((name) => makesFollower(name, kind) || blockStateAfter(name, kind) !== null),
);

/** Contacts that lost an event that counts here, and contacts whose block state may differ: a message can only lift a block. */
function contactsToRefold(
  addedEvents: readonly ContactEvent[],
  replacedEvents: readonly ContactEvent[],
): Set<FoldedContact> {
  const blocks = addedEvents.filter(({ platform, kind }) => blockStateAfter(platform, kind) === true);
  const blockedNow = new Set(blocks.map(({ person }) => person));
  const contacts = new Set<FoldedContact>();
  for (const { person, platform, kind } of addedEvents) {
    if (person && (person.everBlocked || blockedNow.has(person)) && blockStateAfter(platform, kind) !== null)
      contacts.add(person);
  }
  for (const { person, kind } of replacedEvents) {
    if (person && followerKinds.includes(kind)) contacts.add(person);
  }
  return contacts;
}

function firstFollow({ followedAt, earlierFriend }: FoldedContact): FirstFollow | null {
  return followedAt === null ? null : { followedAt, earlierFriend };
}

function setFollow(person: FoldedContact, first: FirstFollow | null): void {
  const { followedAt, earlierFriend } = first ?? { followedAt: null, earlierFriend: null };
  if (followedAt === person.followedAt && earlierFriend === person.earlierFriend) return;
  Object.assign(person, { followedAt, earlierFriend, isChanged: true });
}

function setBlocks(
  tally: Tally,
  person: FoldedContact,
  before: readonly BlockEvent[],
  after: readonly BlockEvent[],
): void {
  const blocked = foldBlocks(tally, person.platform, before, after);
  const everBlocked = after.some(({ isBlock }) => isBlock);
  if (blocked === person.blocked && everBlocked === person.everBlocked) return;
  const blockedAt = after.reduce<number | null>((latest, { at }) => Math.max(latest ?? at, at), null);
  Object.assign(person, { blocked, everBlocked, blockedAt, isChanged: true });
}

/** Writes the states of contacts. Idempotent. */
export async function writeFollowerStates(sql: Queryable, states: readonly FollowerState[]): Promise<void> {
  if (states.length === 0) return;
  await sql`
    update contacts
    set followed_at = new.followed_at, earlier_friend = new.earlier_friend, blocked = new.blocked,
      ever_blocked = new.ever_blocked
    from ${rowTable(sql, 'new', states, stateColumns)}
    where contacts.bot_id = new.bot_id and contacts.contact_id = new.contact_id`;
}

/** The columns of `contacts` that hold the state. */
export const stateColumns: Record<string, Column<FollowerState>> = {
  bot_id: ['text', ({ botId }) => botId],
  contact_id: ['text', ({ contactId }) => contactId],
  followed_at: ['timestamptz', ({ followedAt }) => followedAt],
  earlier_friend: ['text', ({ earlierFriend }) => earlierFriend],
  blocked: ['boolean', ({ blocked }) => blocked],
  ever_blocked: ['boolean', ({ everBlocked }) => everBlocked],
};
