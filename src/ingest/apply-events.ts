/**
 * Applies a chunk of a batch: events that share no person with another chunk, folded in memory bot by bot, and written by one statement
 * for each table.
 *
 *     find → drop stored events → merge contacts → append → followers, messages, conversations → write
 *
 * No step waits for the writing of the step before: the database works on one chunk while the process folds the next.
 */
import type { Transaction } from '../database/client.ts';
import { statementsSent } from '../database/statements-sent.ts';
import {
  appendEvents,
  findStoredEvents,
  type IncomingEvent,
  type StoredEvent,
  withoutRepetitions,
} from '../events/store.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import { addsMessage, type Event } from '../platforms/event.ts';
import type { Random } from '../random.ts';
import {
  foldConversations,
  messagesByContact,
  noSessionChanges,
  type SessionChanges,
  type SessionsByContact,
  writeSessions,
} from '../rollups/conversations.ts';
import type { Tally } from '../rollups/counters.ts';
import { type EventChange, foldFollowers } from '../rollups/followers.ts';
import { refoldFollowers } from '../rollups/refold-followers.ts';
import { findTouchedSessions } from '../rollups/stored-sessions.ts';
import type { BatchBot, Chunk } from './batch.ts';
import { addOwners, changingReports, rewriteEvents, toEventChange } from './changed-events.ts';
import { splitDeleted } from './erase-deleted.ts';
import { mergePeople } from './merge-contacts.ts';
import { type FoundPeople, findPeople, type People, type PersonEvent, writePeople } from './people.ts';

/** Events of a bot with the stored events that have their keys. */
export type FoundEvents = {
  bot: BatchBot;
  incoming: readonly IncomingEvent[];
  storedEvents: ByPlatform<StoredEvent>;
};

/** A chunk with the stored rows that its events can touch. */
export type FoundChunk = {
  events: readonly FoundEvents[];
  /** By bot. */
  people: Promise<ReadonlyMap<string, FoundPeople>>;
};

/**
 * Looks up the stored rows that the chunks can touch: first the events of all chunks, then the people and sessions of one chunk after
 * the other, so that the process folds the first while the database looks up the next. `locked`: the second part waits for it, so that
 * the claim, which follows the locks, is not queued behind the look-ups of all chunks.
 */
export async function findChunks(
  tx: Transaction,
  chunks: readonly Chunk[],
  { random, locked }: { random: Random; locked?: Promise<unknown> },
): Promise<FoundChunk[]> {
  const incoming = chunks.map((chunk) => chunk.flatMap((events) => events.incoming));
  const finding = Promise.all(incoming.map((events) => findStoredEvents(tx, events)));
  // Both promises are awaited later; the handlers keep an early failure from being reported as unhandled.
  finding.catch(() => undefined);
  await locked;
  const people: FoundChunk['people'][] = [];
  for (const chunk of chunks) {
    const ids = chunk.map(({ bot, people }) => ({ botId: bot.botId, gapMs: gapMsOf(bot), ids: people }));
    const ofChunk = findPeople(tx, ids, random);
    ofChunk.catch(() => undefined);
    people.push(ofChunk);
    if (chunks.length > 1) await statementsSent();
  }
  const storedEvents = await finding;
  return chunks.map((chunk, index) => ({
    events: chunk.map(({ bot, incoming }) => ({
      ...{ bot, incoming },
      storedEvents: storedEvents[index]?.get(bot.botId) ?? noEvents,
    })),
    people: people[index] as FoundChunk['people'],
  }));
}

const noEvents: ByPlatform<StoredEvent> = new ByPlatform();

type NewEvent = PersonEvent & { receivedAt: number };

/** The events of one bot in a chunk, with their contacts and the rows that they can touch. */
type PreparedEvents = {
  botId: string;
  gapMs: number;
  tally: Tally;
  /** Events of contacts that exist. */
  present: readonly IncomingEvent[];
  /** Redelivered events of deleted contacts. */
  ofDeleted: readonly IncomingEvent[];
  newEvents: readonly NewEvent[];
  changes: readonly EventChange<PersonEvent>[];
  people: People;
  sessions: SessionsByContact;
  /** After a merge or a change, the messages can touch other sessions than those that were looked up. */
  isLookUpOutdated: boolean;
};
export type PreparedChunk = readonly PreparedEvents[];

/** Decides which events of a chunk are new and whose they are: drops stored events, merges contacts and tallies messages. */
export async function prepareChunk(
  tx: Transaction,
  tallies: ReadonlyMap<string, Tally>,
  chunk: FoundChunk,
): Promise<PreparedChunk> {
  const foundPeople = await chunk.people;
  const prepared: PreparedEvents[] = [];
  for (const events of chunk.events) {
    const { botId } = events.bot;
    const found = foundPeople.get(botId);
    const tally = tallies.get(botId);
    if (!found || !tally) throw new Error(`the bot ${botId} is missing in its batch`);
    prepared.push(await prepareEvents(tx, tally, events, found));
  }
  return prepared;
}

/** Appends the new events of a chunk and writes the changed ones. PostgreSQL runs statements in order, so later reads see these events. */
async function writeEvents(tx: Transaction, chunk: PreparedChunk): Promise<void> {
  const newEvents = chunk.flatMap((part) => part.newEvents);
  const rewritten = chunk.flatMap(({ changes }) => changes.map(({ after }) => after));
  await Promise.all([appendEvents(tx, newEvents), rewriteEvents(tx, rewritten)]);
}

/** Begins to write the events of a chunk, folds it, and begins to write the rest. Resolves when all of it is tallied. */
export async function foldChunk(
  tx: Transaction,
  chunk: PreparedChunk,
  now: number,
): Promise<{ written: Promise<unknown> }> {
  const events = writeEvents(tx, chunk);
  const refolds = chunk.map((part) => ({ ...part, contacts: foldFollowers(part) }));
  const followers = refoldFollowers(tx, refolds);
  const conversations = foldSessions(tx, chunk);
  const people = chunk.map((part) => part.people);
  const written = Promise.all([
    events,
    followers.then(() => writePeople(tx, people, now)),
    conversations.then((sessionChanges) => writeSessions(tx, sessionChanges)),
  ]);
  // Awaited when all chunks are folded; the handler keeps an early failure from being reported as unhandled.
  written.catch(() => undefined);
  await Promise.all([followers, conversations]);
  return { written };
}

/** Drops stored events, merges contacts and tallies the messages of one bot. */
async function prepareEvents(
  tx: Transaction,
  tally: Tally,
  { bot, incoming, storedEvents }: FoundEvents,
  { people, sessions }: FoundPeople,
): Promise<PreparedEvents> {
  const { botId } = bot;
  const gapMs = gapMsOf(bot);
  const { present, ofDeleted } = splitDeleted(incoming, storedEvents);
  const reports = withoutRepetitions(present);
  const changing = storedEvents.size === 0 ? [] : changingReports(reports, storedEvents);
  if (changing.length > 0) await addOwners(tx, people, changing);
  const aliased = present.filter(({ contactAlias }) => contactAlias !== null);
  const hasMerged = aliased.length > 0 && (await mergePeople(tx, { botId, gapMs }, tally, people, aliased));
  for (const { platform, contact } of present) if (contact !== null) people.contact(platform, contact);
  const newReports = reports.filter(({ platform, key }) => !storedEvents.get(platform, key));
  const newEvents = newReports.map((report) => toNewEvent(report, people));
  const changes = changing.map((change) => toEventChange(change, people));
  tallyMessages(tally, newEvents, changes);
  return {
    ...{ botId, gapMs, tally, present, ofDeleted, newEvents, people, changes, sessions },
    isLookUpOutdated: hasMerged || changes.length > 0,
  };
}

/** Folds the messages of all bots. Sends its reads before it waits, so they precede later statements. */
async function foldSessions(tx: Transaction, bots: PreparedChunk): Promise<SessionChanges> {
  const sessionChanges = noSessionChanges();
  const finding = bots.map(
    async ({ botId, gapMs, tally, newEvents, changes, sessions, isLookUpOutdated }) => {
      const messages = messagesByContact(botId, newEvents, changes);
      const touched = isLookUpOutdated
        ? await findTouchedSessions(tx, botId, messages, gapMs)
        : { stored: sessions };
      foldConversations(sessionChanges, tally, messages, touched, gapMs);
    },
  );
  await Promise.all(finding);
  return sessionChanges;
}

function toNewEvent(event: IncomingEvent, people: People): NewEvent {
  const { botId, platform, key, kind, detail, contact, happenedAt, receivedAt } = event;
  const { person, contactId, namedAs } = people.personOf(platform, contact);
  return {
    ...{ botId, platform, key, kind, detail, happenedAt, receivedAt },
    ...{ person, contactId, namedAs },
  };
}

function tallyMessages(
  tally: Tally,
  newEvents: readonly Event[],
  changes: readonly EventChange<Event>[],
): void {
  for (const event of newEvents) tallyMessage(tally, event, 1);
  for (const { before, after } of changes) {
    tallyMessage(tally, before, -1);
    tallyMessage(tally, after, 1);
  }
}

function tallyMessage(tally: Tally, { platform, kind, happenedAt }: Event, sign: 1 | -1): void {
  if (!addsMessage(platform, kind)) return;
  tally.add(platform, happenedAt, kind === 'message-in' ? { inbound: 1 } : { outbound: 1 }, sign);
}

function gapMsOf({ settings }: BatchBot): number {
  return settings.conversationGapSeconds * 1_000;
}
