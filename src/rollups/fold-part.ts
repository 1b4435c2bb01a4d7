/**
 * A part of a batch: events that share no person with those of another part, worked out in memory and written.
 *
 *     look up → drop known → join people → append → audience, messages, conversations → write
 *
 * Nothing of it waits for what is written: the database works on one part while the next is worked out.
 */
import type { Transaction } from '../database/database.ts';
import { statementsSent } from '../database/statements-sent.ts';
import { addsMessage, blockStateAfter, type Event, isMessage, makesFollower } from '../events/event.ts';
import type { Contact, People } from '../events/people.ts';
import {
  appendEvents,
  eventsOfContacts,
  type IncomingEvent,
  type KnownEvent,
  knownEvents,
  type MovedEvent,
  moveEvents,
  withoutRepetitions,
} from '../events/store.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { foldBlocks, foldFollow, type StateEvent } from './audience.ts';
import type { BotSettings } from './batch.ts';
import { type ContactRuns, foldRuns, type RunChanges, runsBeside, writeRuns } from './conversation-runs.ts';
import { type Run, runOf } from './conversations.ts';
import { splitForgotten } from './forgotten-events.ts';
import { joinContacts } from './join-contacts.ts';
import { knownPeople } from './known-people.ts';
import type { AskedPart } from './parts.ts';
import type { Tally } from './tally.ts';

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
  for (const { platform, contact, contactAlias } of present) {
    if (contact !== null && contactAlias !== null) people.join(platform, contact, contactAlias);
  }
  const { fresh, moved } = sortByKnown(withoutRepetitions(present), known, people);
  for (const joining of people.joinings) await joinContacts(tx, bot, tally, joining);
  foldMessages(tally, fresh, moved);
  foldFollows(tally, fresh, moved);
  // Runs that were looked up before ids were joined or messages moved are not all that can be touched.
  const kept = people.hasJoined || moved.length > 0 ? null : runsBefore;
  // Sent one behind the other, without waiting in between: what is read here is read after what is written here.
  const events = Promise.all([appendEvents(tx, botId, fresh), moveEvents(tx, botId, moved)]);
  const blocks = foldContactBlocks(tx, botId, tally, fresh, moved);
  const runs = foldConversations(tx, bot, tally, { fresh, moved, kept });
  const written = Promise.all([
    events,
    blocks.then(() => people.store(tx, botId, now)),
    runs.then((changes) => writeRuns(tx, botId, changes)),
  ]);
  // Looked at when all parts are worked out; whatever fails before that leaves nobody to.
  written.catch(() => undefined);
  await Promise.all([blocks, runs]);
  return { present, gone, fresh, people, written };
}

type FreshEvent = Event & { receivedAt: number; person: Contact | null };
type MovedWithPerson = MovedEvent & { person: Contact | null };

function sortByKnown(
  events: readonly IncomingEvent[],
  known: ByPlatform<KnownEvent>,
  people: People,
): { fresh: FreshEvent[]; moved: MovedWithPerson[] } {
  const fresh: FreshEvent[] = [];
  const moved: MovedWithPerson[] = [];
  for (const { platform, key, kind, detail, contact, happenedAt, receivedAt } of events) {
    const stored = known.get(platform, key);
    if (!stored) {
      const person = contact === null ? null : people.contact(platform, contact);
      const contactId = person?.contactId ?? null;
      fresh.push({ platform, key, kind, detail, contactId, happenedAt, receivedAt, person });
    } else if (happenedAt < stored.happenedAt) {
      const contactId = stored.contactId === null ? null : people.survivorOf(stored.contactId);
      const named = contact === null ? null : people.find(platform, contact);
      const person = named?.contactId === contactId ? named : null;
      const event = { platform, key, kind: stored.kind, detail, contactId, happenedAt };
      moved.push({ event, from: stored.happenedAt, person });
    }
  }
  return { fresh, moved };
}

function foldMessages(tally: Tally, fresh: readonly FreshEvent[], moved: readonly MovedEvent[]): void {
  for (const { platform, kind, happenedAt } of fresh) {
    if (addsMessage(platform, kind)) tally.add(platform, happenedAt, messageFigures(kind));
  }
  for (const { event, from } of moved) {
    if (!addsMessage(event.platform, event.kind)) continue;
    tally.add(event.platform, from, messageFigures(event.kind), -1);
    tally.add(event.platform, event.happenedAt, messageFigures(event.kind));
  }
}

function messageFigures(kind: 'message-in' | 'message-out'): { inbound: number } | { outbound: number } {
  return kind === 'message-in' ? { inbound: 1 } : { outbound: 1 };
}

function foldFollows(tally: Tally, fresh: readonly FreshEvent[], moved: readonly MovedWithPerson[]): void {
  for (const event of [...fresh, ...moved.map(({ event, person }) => ({ ...event, person }))]) {
    const { person, platform, kind, happenedAt } = event;
    if (!person || !makesFollower(platform, kind)) continue;
    const followedAt = foldFollow(tally, platform, person.followedAt, happenedAt);
    if (followedAt !== person.followedAt) Object.assign(person, { followedAt, changed: true });
  }
}

async function foldContactBlocks(
  tx: Transaction,
  botId: string,
  tally: Tally,
  fresh: readonly FreshEvent[],
  moved: readonly MovedWithPerson[],
): Promise<void> {
  const changes = [...fresh, ...moved.map(({ event, person }) => ({ ...event, person }))];
  const touched = contactsWithChangedBlocks(changes);
  if (touched.size === 0) return;
  const isFresh = new ByPlatform<true>();
  for (const { platform, key } of fresh) isFresh.set(platform, key, true);
  const oldTimes = new ByPlatform<number>();
  for (const { event, from } of moved) oldTimes.set(event.platform, event.key, from);
  const histories = await stateHistories(tx, botId, [...touched]);
  for (const person of touched) {
    const after = histories.get(person.contactId) ?? [];
    const before = after
      .filter(({ key }) => !isFresh.get(person.platform, key))
      .map((state) => ({ ...state, at: oldTimes.get(person.platform, state.key) ?? state.at }));
    const blocked = foldBlocks(tally, person.platform, before, after);
    const everBlocked = person.everBlocked || after.some((state) => state.blocked);
    if (blocked !== person.blocked || everBlocked !== person.everBlocked) {
      const blockedAt = after.reduce<number | null>((latest, { at }) => Math.max(latest ?? at, at), null);
      Object.assign(person, { blocked, everBlocked, blockedAt, changed: true });
    }
  }
}

/** Contacts whose block state may differ now: a message can only lift a block where there is one. */
function contactsWithChangedBlocks(events: readonly (Event & { person: Contact | null })[]): Set<Contact> {
  const touched = new Set<Contact>();
  const blockedNow = new Set(
    events
      .filter(({ platform, kind }) => blockStateAfter(platform, kind) === true)
      .map(({ person }) => person),
  );
  for (const { person, platform, kind } of events) {
    if (!person || blockStateAfter(platform, kind) === null) continue;
    if (person.everBlocked || blockedNow.has(person)) touched.add(person);
  }
  return touched;
}

async function stateHistories(
  tx: Transaction,
  botId: string,
  contacts: readonly Contact[],
): Promise<Map<string, StateEvent[]>> {
  const contactIds = contacts.map(({ contactId }) => contactId);
  const events = await eventsOfContacts(tx, botId, contactIds, stateKinds);
  const histories = new Map<string, StateEvent[]>();
  for (const { platform, key, kind, contactId, happenedAt } of events) {
    const blocked = blockStateAfter(platform, kind);
    if (blocked === null || contactId === null) continue;
    const history = histories.get(contactId) ?? [];
    history.push({ key, at: happenedAt, blocked });
    histories.set(contactId, history);
  }
  return histories;
}

const stateKinds = ['follow', 'unfollow', 'block', 'unblock', 'message-in'] as const;

async function foldConversations(
  tx: Transaction,
  { botId, conversationGapSeconds }: { botId: string; conversationGapSeconds: number },
  tally: Tally,
  {
    fresh,
    moved,
    kept,
  }: { fresh: readonly FreshEvent[]; moved: readonly MovedEvent[]; kept: Map<string, Run[]> | null },
): Promise<RunChanges> {
  const touched = new Map<string, ContactRuns>();
  const of = (contactId: string, platform: PlatformName): ContactRuns => {
    const runs = touched.get(contactId) ?? { contactId, platform, messages: new Map(), leftAt: [] };
    touched.set(contactId, runs);
    return runs;
  };
  for (const { platform, key, kind, contactId, happenedAt } of [
    ...fresh,
    ...moved.map(({ event }) => event),
  ]) {
    if (contactId !== null && isMessage(kind))
      of(contactId, platform).messages.set(key, runOf(happenedAt, kind));
  }
  for (const { event, from } of moved) {
    if (event.contactId !== null && isMessage(event.kind))
      of(event.contactId, event.platform).leftAt.push(from);
  }
  const contacts = [...touched.values()];
  const gapMs = gapMsOf({ conversationGapSeconds });
  const before = kept ?? (await runsBeside(tx, botId, contacts, gapMs));
  return foldRuns(tx, botId, tally, contacts, before, gapMs);
}

function gapMsOf({ conversationGapSeconds }: { conversationGapSeconds: number }): number {
  return conversationGapSeconds * 1_000;
}
