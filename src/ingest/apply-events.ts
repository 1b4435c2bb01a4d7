/**
 * A part of a batch: events that share no person with those of another part, worked out in memory and written.
 *
 *     look up → drop known → join people → append → audience, messages, conversations → write
 *
 * Nothing of it waits for what is written: the database works on one part while the next is worked out.
 */

import type { Contact, People } from '../contacts/batch-contacts.ts';
import type { Transaction } from '../database/client.ts';
import { statementsSent } from '../database/statements-sent.ts';
import {
  appendEvents,
  combine,
  eventsOfContacts,
  type IncomingEvent,
  isChangedBy,
  type KnownEvent,
  knownEvents,
  rewriteEvents,
  withoutRepetitions,
} from '../events/store.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import {
  addsMessage,
  blockStateAfter,
  type Event,
  eventKinds,
  isMessage,
  makesFollower,
} from '../platforms/event.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import {
  type ContactRuns,
  foldRuns,
  type RunChanges,
  runsBeside,
  writeRuns,
} from '../rollups/conversation-rows.ts';
import { type Run, runOf } from '../rollups/conversations.ts';
import type { Tally } from '../rollups/counters.ts';
import {
  type FirstFollow,
  foldBlocks,
  foldFollow,
  followOf,
  type StateEvent,
  tallyFollow,
} from '../rollups/followers.ts';
import type { BotSettings } from './batch.ts';
import { splitForgotten } from './forgotten-events.ts';
import { addPeople, knownPeople } from './look-up.ts';
import { joinContacts } from './merge-contacts.ts';
import type { AskedPart } from './split-batch.ts';

/** Events, and what the database knows of them, of their people, and of the conversations that they can touch. */
export type Part = {
  incoming: readonly IncomingEvent[];
  known: ByPlatform<KnownEvent>;
  found: Promise<[people: People, runs: Map<string, Run[]>]>;
};

type Bot = { botId: string; settings: BotSettings };

/**
 * Asks for what the database knows of the parts: first which of the events are known, of all parts, then for the people and
 * conversations of one part after the other, so that the first can be worked out while the next is looked up.
 */
export async function lookUp(
  tx: Transaction,
  { botId, settings }: Bot,
  asked: readonly AskedPart[],
  { random }: { random: Random },
): Promise<Part[]> {
  const known = Promise.all(asked.map(({ incoming }) => knownEvents(tx, botId, incoming)));
  // Looked at when everything is asked for, and when the part is worked out; whatever fails before that leaves nobody to.
  known.catch(() => undefined);
  const found: Part['found'][] = [];
  for (const { people } of asked) {
    const part = knownPeople(tx, botId, people, { gapMs: gapMsOf(settings), random });
    part.catch(() => undefined);
    found.push(part);
    if (asked.length > 1) await statementsSent();
  }
  const knownOf = await known;
  return asked.map(({ incoming }, place) => ({
    incoming,
    known: knownOf[place] as ByPlatform<KnownEvent>,
    found: found[place] as Part['found'],
  }));
}

export type FoldedPart = {
  present: readonly IncomingEvent[];
  gone: readonly IncomingEvent[];
  fresh: readonly FreshEvent[];
  people: People;
  /** Resolves when the part's own rows are written. */
  written: Promise<unknown>;
};

/** Works a part out and begins to write it; resolves when all of it is tallied. */
export async function foldPart(
  tx: Transaction,
  bot: { botId: string } & BotSettings,
  tally: Tally,
  { incoming, known, found }: Part,
  now: number,
): Promise<FoldedPart> {
  const { botId } = bot;
  const [people, runsBefore] = await found;
  const { present, gone } = splitForgotten(incoming, known);
  const reports = withoutRepetitions(present);
  await addOwners(tx, bot, people, reports, known);
  for (const { platform, contact, contactAlias } of present) {
    if (contact === null) continue;
    people.contact(platform, contact);
    if (contactAlias !== null) people.join(platform, contact, contactAlias);
  }
  const { fresh, changed } = sortByKnown(reports, known, people);
  for (const joining of people.joinings) await joinContacts(tx, bot, tally, joining);
  foldMessages(tally, fresh, changed);
  // Runs that were looked up before ids were joined or events changed are not all that can be touched.
  const kept = people.hasJoined || changed.length > 0 ? null : runsBefore;
  // Sent one behind the other, without waiting in between: what is read here is read after what is written here.
  const rewritten = changed.map(({ after }) => after);
  const events = Promise.all([appendEvents(tx, botId, fresh), rewriteEvents(tx, botId, rewritten)]);
  const audience = foldAudience(tx, botId, tally, fresh, changed);
  const runs = foldConversations(tx, bot, tally, { fresh, changed, kept });
  const written = Promise.all([
    events,
    audience.then(() => people.store(tx, botId, now)),
    runs.then((changes) => writeRuns(tx, botId, changes)),
  ]);
  // Looked at when all parts are worked out; whatever fails before that leaves nobody to.
  written.catch(() => undefined);
  await Promise.all([audience, runs]);
  return { present, gone, fresh, people, written };
}

/** An event with its person; `namedAs` as in the table. */
type PersonEvent = Event & { namedAs: string | null; person: Contact | null };
type FreshEvent = PersonEvent & { receivedAt: number };
/** A stored event before and after the reports of this batch. */
type ChangedEvent = { before: PersonEvent; after: PersonEvent };

/** Looks up the people of stored events that this batch changes. Usually the batch names them itself. */
async function addOwners(
  tx: Transaction,
  { botId, ...settings }: { botId: string } & BotSettings,
  people: People,
  reports: readonly IncomingEvent[],
  known: ByPlatform<KnownEvent>,
): Promise<void> {
  const owners = reports.flatMap((report) => {
    const { platform } = report;
    const stored = known.get(platform, report.key);
    if (!stored || stored.contact === null || !isChangedBy(stored, report)) return [];
    return people.find(platform, stored.contact) ? [] : [{ platform, platformContactId: stored.contact }];
  });
  if (owners.length > 0) await addPeople(tx, botId, people, owners, { gapMs: gapMsOf(settings) });
}

function sortByKnown(
  reports: readonly IncomingEvent[],
  known: ByPlatform<KnownEvent>,
  people: People,
): { fresh: FreshEvent[]; changed: ChangedEvent[] } {
  const fresh: FreshEvent[] = [];
  const changed: ChangedEvent[] = [];
  const named = (platform: PlatformName, contact: string | null) => {
    if (contact === null) return { person: null, contactId: null, namedAs: null };
    const person = people.contact(platform, contact);
    return { person, contactId: person.contactId, namedAs: people.namedAs(platform, contact) };
  };
  for (const report of reports) {
    const { platform, key, kind, detail, contact, happenedAt, receivedAt } = report;
    const stored = known.get(platform, key);
    if (!stored) {
      fresh.push({ platform, key, kind, detail, happenedAt, receivedAt, ...named(platform, contact) });
    } else if (isChangedBy(stored, report)) {
      const [before, after] = [stored, combine(stored, report)].map(({ contact, ...event }) => ({
        ...{ platform, key, kind: event.kind, detail: event.detail, happenedAt: event.happenedAt },
        ...named(platform, contact),
      })) as [PersonEvent, PersonEvent];
      changed.push({ before, after });
    }
  }
  return { fresh, changed };
}

function foldMessages(tally: Tally, fresh: readonly FreshEvent[], changed: readonly ChangedEvent[]): void {
  const add = ({ platform, kind, happenedAt }: Event, sign: 1 | -1) => {
    if (addsMessage(platform, kind)) tally.add(platform, happenedAt, messageFigures(kind), sign);
  };
  for (const event of fresh) add(event, 1);
  for (const { before, after } of changed) {
    add(before, -1);
    add(after, 1);
  }
}

function messageFigures(kind: 'message-in' | 'message-out'): { inbound: number } | { outbound: number } {
  return kind === 'message-in' ? { inbound: 1 } : { outbound: 1 };
}

/**
 * Followers and blocks. A new event can only make a contact a follower earlier. A contact that has lost an event, and one whose
 * block state may differ now, is worked out from its whole history, which is read after the batch's events are written.
 */
async function foldAudience(
  tx: Transaction,
  botId: string,
  tally: Tally,
  fresh: readonly FreshEvent[],
  changed: readonly ChangedEvent[],
): Promise<void> {
  const added = [...fresh, ...changed.map(({ after }) => after)];
  const bereft = contactsWithLostFollows(changed);
  for (const event of added) {
    const { person, platform } = event;
    if (!person || bereft.has(person)) continue;
    const follow = followOf(event);
    if (follow !== null) setFollow(person, foldFollow(tally, platform, firstFollow(person), follow));
  }
  const touched = contactsWithChangedBlocks(added, changed);
  const contactIds = [...new Set([...bereft, ...touched])].map(({ contactId }) => contactId);
  if (contactIds.length === 0) return;
  const events = await eventsOfContacts(tx, botId, contactIds, audienceKinds);
  const histories = Map.groupBy(events, ({ contactId }) => contactId);
  for (const person of bereft) refoldFollow(tally, person, histories.get(person.contactId) ?? []);
  const addedKeys = new ByPlatform<true>();
  for (const { platform, key } of added) addedKeys.set(platform, key, true);
  const replaced = changed.map(({ before }) => before);
  for (const person of touched) {
    const history = histories.get(person.contactId) ?? [];
    const after = stateEvents(history);
    const before = stateEvents([
      ...history.filter(({ platform, key }) => !addedKeys.get(platform, key)),
      ...replaced.filter((event) => event.person === person),
    ]);
    const blocked = foldBlocks(tally, person.platform, before, after);
    const everBlocked = after.some((state) => state.blocked);
    if (blocked !== person.blocked || everBlocked !== person.everBlocked) {
      const blockedAt = after.reduce<number | null>((latest, { at }) => Math.max(latest ?? at, at), null);
      Object.assign(person, { blocked, everBlocked, blockedAt, changed: true });
    }
  }
}

/** Contacts of which an event that made them a follower is now another's, or says something else about them. */
function contactsWithLostFollows(changed: readonly ChangedEvent[]): Set<Contact> {
  const bereft = new Set<Contact>();
  for (const { before, after } of changed) {
    const [person, follow] = [before.person, followOf(before)];
    if (!person || follow === null) continue;
    const isKept = after.person === person && followOf(after)?.earlierFriend === follow.earlierFriend;
    if (!isKept) bereft.add(person);
  }
  return bereft;
}

function refoldFollow(tally: Tally, person: Contact, history: readonly Event[]): void {
  const { platform } = person;
  const before = firstFollow(person);
  if (before !== null) tallyFollow(tally, platform, before, -1);
  let first: FirstFollow | null = null;
  for (const event of history) {
    const follow = followOf(event);
    if (follow !== null) first = foldFollow(tally, platform, first, follow);
  }
  setFollow(person, first);
}

function firstFollow({ followedAt, earlierFriend }: Contact): FirstFollow | null {
  return followedAt === null ? null : { followedAt, earlierFriend };
}

function setFollow(person: Contact, first: FirstFollow | null): void {
  const { followedAt, earlierFriend } = first ?? { followedAt: null, earlierFriend: null };
  if (followedAt === person.followedAt && earlierFriend === person.earlierFriend) return;
  Object.assign(person, { followedAt, earlierFriend, changed: true });
}

/** Contacts whose block state may differ now: a message can only lift a block where there is one. */
function contactsWithChangedBlocks(
  added: readonly PersonEvent[],
  changed: readonly ChangedEvent[],
): Set<Contact> {
  const touched = new Set<Contact>();
  const blockedNow = new Set(
    added
      .filter(({ platform, kind }) => blockStateAfter(platform, kind) === true)
      .map(({ person }) => person),
  );
  for (const { person, platform, kind } of added) {
    if (!person || blockStateAfter(platform, kind) === null) continue;
    if (person.everBlocked || blockedNow.has(person)) touched.add(person);
  }
  for (const { before } of changed) {
    const { person, platform, kind } = before;
    if (person?.everBlocked && blockStateAfter(platform, kind) !== null) touched.add(person);
  }
  return touched;
}

function stateEvents(events: readonly Event[]): StateEvent[] {
  return events.flatMap(({ platform, key, kind, happenedAt }) => {
    const blocked = blockStateAfter(platform, kind);
    return blocked === null ? [] : [{ key, at: happenedAt, blocked }];
  });
}

/** The kinds that make a follower or decide a block state on any platform. */
const audienceKinds = eventKinds.filter((kind) =>
  platformNames.some((name) => makesFollower(name, kind) || blockStateAfter(name, kind) !== null),
);

async function foldConversations(
  tx: Transaction,
  { botId, conversationGapSeconds }: { botId: string; conversationGapSeconds: number },
  tally: Tally,
  {
    fresh,
    changed,
    kept,
  }: { fresh: readonly FreshEvent[]; changed: readonly ChangedEvent[]; kept: Map<string, Run[]> | null },
): Promise<RunChanges> {
  const touched = new Map<string, ContactRuns>();
  const of = (contactId: string, platform: PlatformName): ContactRuns => {
    const runs = touched.get(contactId) ?? { contactId, platform, messages: new Map(), leftAt: [] };
    touched.set(contactId, runs);
    return runs;
  };
  for (const { platform, key, kind, contactId, happenedAt } of [
    ...fresh,
    ...changed.map(({ after }) => after),
  ]) {
    if (contactId !== null && isMessage(kind))
      of(contactId, platform).messages.set(key, runOf(happenedAt, kind));
  }
  for (const { before } of changed) {
    if (before.contactId !== null && isMessage(before.kind))
      of(before.contactId, before.platform).leftAt.push(before.happenedAt);
  }
  const contacts = [...touched.values()];
  const gapMs = gapMsOf({ conversationGapSeconds });
  const before = kept ?? (await runsBeside(tx, botId, contacts, gapMs));
  return foldRuns(tx, botId, tally, contacts, before, gapMs);
}

function gapMsOf({ conversationGapSeconds }: { conversationGapSeconds: number }): number {
  return conversationGapSeconds * 1_000;
}
