/**
 * The fold: one batch of a bot's deliveries becomes events and figures, in one transaction.
 *
 *     claim → look up → drop known → join people → append → audience, messages, conversations → write → commit
 *
 * The bot's row is locked meanwhile, so that one fold at a time works on a bot; other bots are folded beside it. Killed
 * anywhere, the transaction rolls back: the deliveries are pending again and nothing of them is counted. Statements that do
 * not need each other's answer are sent together, so a fold usually waits for the database three times.
 */
import type { Sql, Transaction } from '../database/database.ts';
import { numberList } from '../database/lists.ts';
import { addsMessage, blockStateAfter, type Event, isMessage, makesFollower } from '../events/event.ts';
import { type Contact, People } from '../events/people.ts';
import {
  appendEvents,
  eventKey,
  eventsOfContacts,
  type IncomingEvent,
  type KnownEvent,
  knownEvents,
  type MovedEvent,
  moveEvents,
  withoutRepetitions,
} from '../events/store.ts';
import { setAside } from '../inbox/inbox.ts';
import { tell } from '../outgoing/outbox.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { foldBlocks, foldFollow, type StateEvent } from './audience.ts';
import { type Batch, type BotSettings, emptyBundle, type ParsedBundle, type Refused } from './batch.ts';
import {
  type ContactRuns,
  foldRuns,
  type IdSpan,
  type RunChanges,
  runsBeside,
  runsBesideIds,
  writeRuns,
} from './conversation-runs.ts';
import { type Run, runOf } from './conversations.ts';
import { foldSends } from './fold-sends.ts';
import { eraseForgotten, splitForgotten, withoutForgotten } from './forgotten-events.ts';
import { joinContacts } from './join-contacts.ts';
import { foldAnswers } from './snapshots.ts';
import { chatMessages, stateChanges } from './state-changes.ts';
import { Tally } from './tally.ts';

export type FoldOptions = { now: number; random: Random };

/** What became of a batch. `busy`: another fold holds the bot, or its settings have changed since the batch was read. */
export type FoldOutcome = {
  busy: boolean;
  deliveries: number;
  appended: number;
  duplicates: number;
  ignored: number;
  setAside: Refused[];
  /** receivedAt (ms) of the oldest delivery of the batch; null for an empty one. */
  oldestReceivedAt: number | null;
};

/**
 * Folds what is still pending of the batch. Safe to call at any time, from any number of processes: what another fold has
 * taken meanwhile is left out.
 */
export async function foldBatch(sql: Sql, batch: Batch, options: FoldOptions): Promise<FoldOutcome> {
  if (batch.bundles.length === 0) return emptyOutcome({});
  return sql.begin(async (tx) => {
    const incoming = batch.bundles.flatMap((bundle) => bundle.incoming);
    const [, claimed, found] = await Promise.all([
      setUp(tx),
      claim(tx, batch),
      lookUp(tx, batch, incoming, options),
    ]);
    if (!claimed) return emptyOutcome({ busy: true });
    const bundles = batch.bundles.filter(({ bundleId }) => claimed.has(bundleId));
    return foldBundles(tx, batch, bundles, found, options);
  }) as Promise<FoldOutcome>;
}

async function setUp(tx: Transaction): Promise<void> {
  await tx`
    select
      -- A fold takes some hundred rows of large tables by their keys, and no other way is ever better. With the others out of
      -- the way one plan is good for every batch and need not be made anew.
      set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
      set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true),
      -- Nothing is lost with a fold that a power cut takes back: its deliveries are pending again.
      set_config('synchronous_commit', 'off', true)`;
}

/**
 * Locks the bot and marks the batch's bundles finished, which holds when the transaction commits. Gives those that were still
 * pending; null when another fold holds the bot or its settings are no longer those that the batch was read with.
 */
async function claim(tx: Transaction, { botId, settings, bundles }: Batch): Promise<Set<number> | null> {
  const [row] = await tx<{ bundles: string[] }[]>`
    with bot as (
      select bot_id from bots
      where bot_id = ${botId} and time_zone = ${settings.timeZone}
        and conversation_gap_seconds = ${settings.conversationGapSeconds}
      for no key update skip locked
    ), claimed as (
      delete from pending_bundles using bot
      where pending_bundles.bot_id = ${botId}
        and bundle_id = any (${numberList(bundles.map(({ bundleId }) => bundleId))}::bigint[])
      returning bundle_id
    )
    select array(select bundle_id::text from claimed) as bundles from bot`;
  return row ? new Set(row.bundles.map(Number)) : null;
}

/**
 * Folds events that no delivery told, in a transaction that holds the bot's lock. Safe to repeat: events that are known are
 * dropped.
 */
export async function foldTold(
  tx: Transaction,
  bot: { botId: string; settings: BotSettings },
  incoming: readonly IncomingEvent[],
  options: FoldOptions,
): Promise<FoldOutcome> {
  const found = await lookUp(tx, bot, incoming, options);
  const bundle = { ...emptyBundle(0), incoming: [...incoming] };
  return foldBundles(tx, bot, [bundle], found, options);
}

type Found = [known: Map<string, KnownEvent>, people: People, runs: Map<string, Run[]>];

/** What the database knows of the events, of their people and of the conversations that they can touch. */
function lookUp(
  tx: Transaction,
  { botId, settings }: Pick<Batch, 'botId' | 'settings'>,
  incoming: readonly IncomingEvent[],
  { random }: FoldOptions,
): Promise<Found> {
  return Promise.all([
    knownEvents(tx, botId, incoming),
    People.load(tx, botId, idsOf(incoming), { random }),
    runsBesideIds(tx, botId, messageSpans(incoming), gapMsOf(settings)),
  ]);
}

/** An outcome in which nothing happened but what `part` says. */
export function emptyOutcome(part: Partial<FoldOutcome>): FoldOutcome {
  return {
    busy: false,
    deliveries: 0,
    appended: 0,
    duplicates: 0,
    ignored: 0,
    setAside: [],
    oldestReceivedAt: null,
    ...part,
  };
}

async function foldBundles(
  tx: Transaction,
  batch: Pick<Batch, 'botId' | 'settings'>,
  bundles: readonly ParsedBundle[],
  found: Found,
  options: FoldOptions,
): Promise<FoldOutcome> {
  const { botId, settings } = batch;
  const { now } = options;
  const bot = { botId, ...settings };
  const tally = new Tally(settings.timeZone);
  for (const { webhooks } of bundles) {
    for (const [platform, at] of webhooks) tally.delivered(platform, at);
  }
  const answers = bundles.flatMap((bundle) => bundle.answers);
  const refused = bundles.flatMap((bundle) => bundle.refused);
  refused.push(...(await foldAnswers(tx, botId, tally, answers)));
  const sent = await foldSends(tx, botId, tally, withoutForgotten(bundles, found[0]), now);
  const incoming = [...bundles.flatMap((bundle) => bundle.incoming), ...sent];
  // Of what was sent it is only now known whom it went to.
  const [known, people, runsBefore] = sent.length === 0 ? found : await lookUp(tx, batch, incoming, options);
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
  const [, , , runs] = await Promise.all([
    appendEvents(tx, botId, fresh),
    moveEvents(tx, botId, moved),
    foldContactBlocks(tx, botId, tally, fresh, moved),
    foldConversations(tx, bot, tally, { fresh, moved, kept }),
  ]);
  await Promise.all([
    writeRuns(tx, botId, runs),
    people.store(tx, botId, now),
    tally.write(tx, botId),
    refused.length > 0 ? setAside(tx, botId, refused) : undefined,
    tell(tx, botId, [...stateChanges(people.contacts, now), ...chatMessages(fresh)], { now }),
    gone.length > 0 ? eraseForgotten(tx, botId, { present, gone, refused }) : undefined,
  ]);
  return emptyOutcome({
    deliveries: bundles.reduce((sum, { deliveryIds }) => sum + deliveryIds.length, 0),
    appended: fresh.length,
    duplicates: incoming.length - fresh.length,
    ignored: fresh.filter(({ kind }) => kind === 'ignored').length,
    setAside: refused,
    oldestReceivedAt: bundles[0]?.oldestReceivedAt ?? null,
  });
}

function idsOf(incoming: readonly IncomingEvent[]): { platform: PlatformName; platformContactId: string }[] {
  const ids = new Map<string, { platform: PlatformName; platformContactId: string }>();
  for (const { platform, contact, contactAlias } of incoming) {
    for (const platformContactId of [contact, contactAlias]) {
      if (platformContactId !== null)
        ids.set(eventKey(platform, platformContactId), { platform, platformContactId });
    }
  }
  return [...ids.values()];
}

type FreshEvent = Event & { receivedAt: number; person: Contact | null };
type MovedWithPerson = MovedEvent & { person: Contact | null };

function sortByKnown(
  events: readonly IncomingEvent[],
  known: ReadonlyMap<string, KnownEvent>,
  people: People,
): { fresh: FreshEvent[]; moved: MovedWithPerson[] } {
  const fresh: FreshEvent[] = [];
  const moved: MovedWithPerson[] = [];
  for (const { platform, key, kind, detail, contact, happenedAt, receivedAt } of events) {
    const stored = known.get(eventKey(platform, key));
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
  const freshKeys = new Set(fresh.map(({ platform, key }) => eventKey(platform, key)));
  const oldTimes = new Map(moved.map(({ event, from }) => [eventKey(event.platform, event.key), from]));
  const histories = await stateHistories(tx, botId, [...touched]);
  for (const person of touched) {
    const after = histories.get(person.contactId) ?? [];
    const before = after
      .filter(({ key }) => !freshKeys.has(eventKey(person.platform, key)))
      .map((state) => ({ ...state, at: oldTimes.get(eventKey(person.platform, state.key)) ?? state.at }));
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

/** For each id of a person: from its first to its last message in the batch. */
function messageSpans(incoming: readonly IncomingEvent[]): IdSpan[] {
  const spans = new Map<string, IdSpan>();
  for (const { platform, contact, kind, happenedAt } of incoming) {
    if (contact === null || !isMessage(kind)) continue;
    const key = eventKey(platform, contact);
    const span = spans.get(key);
    if (!span) {
      spans.set(key, { platform, platformContactId: contact, from: happenedAt, to: happenedAt });
    } else {
      span.from = Math.min(span.from, happenedAt);
      span.to = Math.max(span.to, happenedAt);
    }
  }
  return [...spans.values()];
}

function gapMsOf({ conversationGapSeconds }: { conversationGapSeconds: number }): number {
  return conversationGapSeconds * 1_000;
}
