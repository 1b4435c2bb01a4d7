/**
 * The fold: one batch of a bot's deliveries becomes events and figures, in one transaction.
 *
 *     claim → parse → drop known → join people → append → audience, messages, conversations → write → commit
 *
 * The bot's row is locked meanwhile, so that one fold at a time works on a bot; other bots are folded beside it. Killed
 * anywhere, the transaction rolls back: the deliveries are pending again and nothing of them is counted.
 */
import type { Bot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/database.ts';
import { blockStateAfter, type Event, isMessage, makesFollower } from '../events/event.ts';
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
import { claimDeliveries, type Delivery, setAside } from '../inbox/inbox.ts';
import { tell } from '../outgoing/outbox.ts';
import { platforms } from '../platforms/index.ts';
import type { PlatformName, WebhookPlatformName } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { dayMs } from '../time.ts';
import { foldBlocks, foldFollow, type StateEvent } from './audience.ts';
import { type ContactRuns, foldRuns, type RunChanges, runsBeside, writeRuns } from './conversation-runs.ts';
import { runOf } from './conversations.ts';
import { joinContacts } from './join-contacts.ts';
import { stateChanges } from './state-changes.ts';
import { Tally } from './tally.ts';

export type FoldOptions = {
  now: number;
  random: Random;
  /** Deliveries of one batch at most. */
  countMax: number;
};

/** What became of a batch. `busy`: another fold holds the bot, or there is no such bot. */
export type FoldOutcome = {
  busy: boolean;
  deliveries: number;
  appended: number;
  duplicates: number;
  ignored: number;
  setAside: { deliveryId: number; reason: string }[];
  /** receivedAt (ms) of the oldest delivery of the batch; null for an empty one. */
  oldestReceivedAt: number | null;
};

const batchBytesMax = 8 * 1024 * 1024;
const futureMsMax = dayMs;

/** Folds the bot's oldest pending deliveries. Safe to call at any time, from any number of processes. */
export async function foldBatch(sql: Sql, botId: string, options: FoldOptions): Promise<FoldOutcome> {
  return sql.begin(async (tx) => {
    const [, bot] = await Promise.all([setUp(tx), lockIdleBot(tx, botId)]);
    if (!bot) return emptyOutcome({ busy: true });
    const deliveries = await claimDeliveries(tx, botId, {
      countMax: options.countMax,
      bytesMax: batchBytesMax,
    });
    if (deliveries.length === 0) return emptyOutcome({});
    return foldDeliveries(tx, bot, deliveries, options);
  }) as Promise<FoldOutcome>;
}

async function setUp(tx: Transaction): Promise<void> {
  await tx`
    select
      -- A fold takes some hundred rows of large tables by their keys: never by collecting and sorting all of a bot's.
      set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
      -- A plan made while the tables were small would be kept and read them whole when they have grown. Planning anew
      -- costs 0.2 ms a statement.
      set_config('plan_cache_mode', 'force_custom_plan', true),
      -- Nothing is lost with a fold that a power cut takes back: its deliveries are pending again.
      set_config('synchronous_commit', 'off', true)`;
}

type FoldedBot = Pick<Bot, 'botId' | 'timeZone' | 'conversationGapSeconds'> & {
  accounts: Map<WebhookPlatformName, string | null>;
};

async function lockIdleBot(tx: Transaction, botId: string): Promise<FoldedBot | null> {
  const [locked, channels] = await Promise.all([
    tx<{ timeZone: string; conversationGapSeconds: number }[]>`
      select time_zone as "timeZone", conversation_gap_seconds as "conversationGapSeconds"
      from bots where bot_id = ${botId} for no key update skip locked`,
    tx<{ platform: WebhookPlatformName; account_id: string | null }[]>`
      select platform, account_id from channels where bot_id = ${botId}`,
  ]);
  const [bot] = locked;
  if (!bot) return null;
  return { botId, ...bot, accounts: new Map(channels.map((row) => [row.platform, row.account_id])) };
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

async function foldDeliveries(
  tx: Transaction,
  bot: FoldedBot,
  deliveries: readonly Delivery[],
  { now, random }: FoldOptions,
): Promise<FoldOutcome> {
  const { incoming, refused } = parseDeliveries(deliveries, bot.accounts);
  const tally = new Tally(bot.timeZone);
  const events = withoutRepetitions(incoming);
  const [known, people] = await Promise.all([
    knownEvents(tx, bot.botId, events),
    People.load(tx, bot.botId, idsOf(incoming), { random }),
  ]);
  for (const { platform, contact, contactAlias } of incoming) {
    if (contact !== null && contactAlias !== null) people.join(platform, contact, contactAlias);
  }
  const { fresh, moved } = sortByKnown(events, known, people);
  for (const joining of people.joinings) await joinContacts(tx, bot, tally, joining);
  foldMessages(tally, fresh, moved);
  foldFollows(tally, fresh, moved);
  // Sent one behind the other, without waiting in between: what is read here is read after what is written here.
  const [, , , runs] = await Promise.all([
    appendEvents(tx, bot.botId, fresh),
    moveEvents(tx, bot.botId, moved),
    foldContactBlocks(tx, bot.botId, tally, fresh, moved),
    foldConversations(tx, bot, tally, fresh, moved),
  ]);
  await Promise.all([
    writeRuns(tx, bot.botId, runs),
    people.store(tx, bot.botId, now),
    tally.write(tx, bot.botId),
    refused.length > 0 ? setAside(tx, bot.botId, refused) : undefined,
    tell(tx, bot.botId, stateChanges(people.contacts, now), { now }),
  ]);
  return emptyOutcome({
    deliveries: deliveries.length,
    appended: fresh.length,
    duplicates: incoming.length - fresh.length,
    ignored: fresh.filter(({ kind }) => kind === 'ignored').length,
    setAside: refused,
    oldestReceivedAt: deliveries[0]?.receivedAt ?? null,
  });
}

/** Reads the bodies; a delivery with a part that cannot be read is set aside, its other events still count. */
function parseDeliveries(
  deliveries: readonly Delivery[],
  accounts: FoldedBot['accounts'],
): { incoming: IncomingEvent[]; refused: FoldOutcome['setAside'] } {
  const incoming: IncomingEvent[] = [];
  const refused: FoldOutcome['setAside'] = [];
  for (const { deliveryId, platform, body, receivedAt } of deliveries) {
    const { events, problems } = platforms[platform].parse(body, accounts.get(platform) ?? null);
    const reasons = [...problems];
    for (const event of events) {
      if (event.happenedAt > receivedAt + futureMsMax) {
        reasons.push(
          `an event lies more than 24 hours in the future: ${new Date(event.happenedAt).toISOString()}`,
        );
      } else {
        incoming.push({ ...event, platform, receivedAt });
      }
    }
    if (reasons.length > 0) refused.push({ deliveryId, reason: summary(reasons) });
  }
  return { incoming, refused };
}

const reasonsShownMax = 5;

function summary(reasons: readonly string[]): string {
  const shown = reasons.slice(0, reasonsShownMax).join('; ');
  const more = reasons.length - reasonsShownMax;
  return more > 0 ? `${shown}; and ${more} more` : shown;
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
    if (isMessage(kind)) tally.add(platform, happenedAt, messageFigures(kind));
  }
  for (const { event, from } of moved) {
    if (!isMessage(event.kind)) continue;
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
  bot: FoldedBot,
  tally: Tally,
  fresh: readonly FreshEvent[],
  moved: readonly MovedEvent[],
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
  const gapMs = bot.conversationGapSeconds * 1_000;
  const kept = await runsBeside(tx, bot.botId, contacts, gapMs);
  return foldRuns(tx, bot.botId, tally, contacts, kept, gapMs);
}
