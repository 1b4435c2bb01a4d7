/**
 * Applies a chunk of a batch: events that share no person with another chunk, folded in memory and written.
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
  rewriteEvents,
  type StoredEvent,
  withoutRepetitions,
} from '../events/store.ts';
import type { ByPlatform } from '../platforms/by-platform.ts';
import { addsMessage, type Event } from '../platforms/event.ts';
import type { Random } from '../random.ts';
import {
  foldConversations,
  messagesByContact,
  type SessionsByContact,
  writeSessions,
} from '../rollups/conversations.ts';
import type { Tally } from '../rollups/counters.ts';
import { type EventChange, foldFollowers } from '../rollups/followers.ts';
import { findTouchedSessions } from '../rollups/stored-sessions.ts';
import type { BotSettings, Chunk } from './batch.ts';
import { addOwners, changingReports, toEventChange } from './changed-events.ts';
import { mergePeople } from './merge-contacts.ts';
import { findPeople, type People, type PersonEvent } from './people.ts';

/** The bot of a batch, as its settings were when the batch was read. */
export type BatchBot = { botId: string; settings: BotSettings };

/** A chunk with the stored rows that its events can touch. */
export type FoundChunk = {
  incoming: readonly IncomingEvent[];
  storedEvents: ByPlatform<StoredEvent>;
  people: Promise<[people: People, sessions: SessionsByContact]>;
};

/**
 * Looks up the stored rows that the chunks can touch: first the events of all chunks, then the people and sessions of one chunk after
 * the other, so that the process folds the first while the database looks up the next.
 */
export async function findChunks(
  tx: Transaction,
  { botId, settings }: BatchBot,
  chunks: readonly Chunk[],
  random: Random,
): Promise<FoundChunk[]> {
  const gapMs = gapMsOf(settings);
  const finding = Promise.all(chunks.map(({ incoming }) => findStoredEvents(tx, botId, incoming)));
  // Both promises are awaited later; the handlers keep an early failure from being reported as unhandled.
  finding.catch(() => undefined);
  const people: FoundChunk['people'][] = [];
  for (const chunk of chunks) {
    const ofChunk = findPeople(tx, botId, chunk.people, { gapMs, random });
    ofChunk.catch(() => undefined);
    people.push(ofChunk);
    if (chunks.length > 1) await statementsSent();
  }
  const storedEvents = await finding;
  return chunks.map(({ incoming }, index) => ({
    incoming,
    storedEvents: storedEvents[index] as ByPlatform<StoredEvent>,
    people: people[index] as FoundChunk['people'],
  }));
}

type NewEvent = PersonEvent & { receivedAt: number };

export type AppliedChunk = {
  /** Events of contacts that exist. */
  present: readonly IncomingEvent[];
  /** Redelivered events of deleted contacts. */
  ofDeleted: readonly IncomingEvent[];
  newEvents: readonly NewEvent[];
  people: People;
  /** Resolves when the chunk's own rows are written. */
  written: Promise<unknown>;
};

/** Folds a chunk and begins to write it. Resolves when all of it is tallied. */
export async function applyChunk(
  tx: Transaction,
  { botId, settings }: BatchBot,
  tally: Tally,
  { incoming, storedEvents, people: findingPeople }: FoundChunk,
  now: number,
): Promise<AppliedChunk> {
  const gapMs = gapMsOf(settings);
  const [people, sessions] = await findingPeople;
  const { present, ofDeleted } = splitDeleted(incoming, storedEvents);
  const reports = withoutRepetitions(present);
  const changing = storedEvents.size === 0 ? [] : changingReports(reports, storedEvents);
  if (changing.length > 0) await addOwners(tx, botId, people, changing);
  const aliased = present.filter(({ contactAlias }) => contactAlias !== null);
  const hasMerged = aliased.length > 0 && (await mergePeople(tx, { botId, gapMs }, tally, people, aliased));
  for (const { platform, contact } of present) if (contact !== null) people.contact(platform, contact);
  const newReports = reports.filter(({ platform, key }) => !storedEvents.get(platform, key));
  const newEvents = newReports.map((report) => toNewEvent(report, people));
  const changes = changing.map((change) => toEventChange(change, people));
  tallyMessages(tally, newEvents, changes);
  // PostgreSQL runs statements of one transaction in order: what is read from here on is read after these writes.
  const rewritten = changes.map(({ after }) => after);
  const events = Promise.all([appendEvents(tx, botId, newEvents), rewriteEvents(tx, botId, rewritten)]);
  const followers = foldFollowers(tx, botId, tally, newEvents, changes);
  const messages = messagesByContact(newEvents, changes);
  // After a merge or a change, the messages can touch other sessions than those that were looked up.
  const isLookUpOutdated = hasMerged || changes.length > 0;
  const finding = isLookUpOutdated ? findTouchedSessions(tx, botId, messages, gapMs) : { stored: sessions };
  const conversations = Promise.resolve(finding).then((touched) =>
    foldConversations(tally, messages, touched, gapMs),
  );
  const written = Promise.all([
    events,
    followers.then(() => people.write(tx, botId, now)),
    conversations.then((sessionChanges) => writeSessions(tx, botId, sessionChanges)),
  ]);
  // Awaited when all chunks are folded; the handler keeps an early failure from being reported as unhandled.
  written.catch(() => undefined);
  await Promise.all([followers, conversations]);
  return { present, ofDeleted, newEvents, people, written };
}

/** Separates redelivered events of deleted contacts. */
export function splitDeleted(
  incoming: readonly IncomingEvent[],
  storedEvents: ByPlatform<StoredEvent>,
): { present: readonly IncomingEvent[]; ofDeleted: readonly IncomingEvent[] } {
  const isOfDeleted = ({ platform, key }: IncomingEvent) =>
    storedEvents.get(platform, key)?.isOfDeleted === true;
  const ofDeleted = storedEvents.size === 0 ? [] : incoming.filter(isOfDeleted);
  const present = ofDeleted.length === 0 ? incoming : incoming.filter((event) => !isOfDeleted(event));
  return { present, ofDeleted };
}

function toNewEvent(
  { platform, key, kind, detail, contact, happenedAt, receivedAt }: IncomingEvent,
  people: People,
): NewEvent {
  return { platform, key, kind, detail, happenedAt, receivedAt, ...people.personOf(platform, contact) };
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

function gapMsOf({ conversationGapSeconds }: BotSettings): number {
  return conversationGapSeconds * 1_000;
}
