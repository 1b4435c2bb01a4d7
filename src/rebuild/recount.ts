/**
 * The recount: computes all stored figures of a bot from its events, tags, snapshots and sends.
 *
 * It uses the pure functions of the fold, contact by contact, with all events of the contact at once and without stored figures. So it
 * proves (`check`) or restores them. Memory holds one page of contacts and the sums by day.
 */
import { type Bot, findBot, lockBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { eventsOfContacts } from '../events/contact-events.ts';
import { readSendDays, rewriteSendDays, sumSends, sumsByDay } from '../line/outbound.ts';
import { lineDeliverySums } from '../line/snapshots.ts';
import { addsMessage, type Event, eventKinds, isMessage } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dropPointDays, wrongPointDays } from '../points/point-periods.ts';
import { blockEvents, foldBlocks } from '../rollups/blocks.ts';
import {
  mergeSessions,
  noSessionChanges,
  type Session,
  type SessionChanges,
  sessionOf,
  tallySession,
  writeSessions,
} from '../rollups/conversations.ts';
import { Tally } from '../rollups/counters.ts';
import { type FollowerState, foldFollows, writeFollowerStates } from '../rollups/followers.ts';
import { sessionsOfContacts } from '../rollups/stored-sessions.ts';
import { countTagged, rewriteCoverEnds, wrongCoverEnds } from '../tags/coverage.ts';
import { readStoredSums, recountedSums, rewriteSums, withoutZeros } from './sums.ts';

/** A stored value that differs from its recount. */
export type Difference = { where: string; kept: string; recounted: string };

export type RecountOptions = {
  /** True: compare only, change nothing. */
  check: boolean;
  /** Called after each page: contacts done, of how many. */
  progress(done: number, all: number): void;
};

const pageContacts = 500;
const differencesMax = 1_000;

/**
 * Recounts the bot and returns at most 1,000 differences. With `check` it reads one consistent snapshot while folds continue. Without,
 * it holds the bot's lock: deliveries are stored and folded afterwards. Idempotent. Throws BOT_NOT_FOUND.
 */
export async function recount(sql: Sql, botId: string, options: RecountOptions): Promise<Difference[]> {
  const isolation = options.check
    ? 'isolation level repeatable read read only'
    : 'isolation level read committed';
  return sql.begin(isolation, async (tx) => {
    const bot = options.check ? await findBot(tx, botId) : await lockBot(tx, botId);
    return new Recount(tx, bot, options).run();
  }) as Promise<Difference[]>;
}

/** Recounts a bot with the time zone and the gap of `bot`, in a transaction that holds its lock. */
export async function recountLocked(
  tx: Transaction,
  bot: Bot,
  progress: RecountOptions['progress'],
): Promise<void> {
  await new Recount(tx, bot, { check: false, progress }).run();
}

type ContactRow = FollowerState & { platform: PlatformName };

class Recount {
  readonly #tx: Transaction;
  readonly #bot: Bot;
  readonly #options: RecountOptions;
  readonly #tally: Tally;
  readonly #differences: Difference[] = [];

  constructor(tx: Transaction, bot: Bot, options: RecountOptions) {
    this.#tx = tx;
    this.#bot = bot;
    this.#options = options;
    this.#tally = new Tally(bot.timeZone);
  }

  async run(): Promise<Difference[]> {
    await this.#contacts();
    await this.#messagesWithoutContact();
    await this.#sends();
    await this.#sums();
    await this.#coverEnds();
    await this.#pointDays();
    return this.#differences;
  }

  async #contacts(): Promise<void> {
    const { botId } = this.#bot;
    const [counted] = await this.#tx<{ all: number }[]>`
      select count(*)::integer as all from contacts where bot_id = ${botId}`;
    let done = 0;
    let page = await this.#page('');
    while (page.length > 0) {
      await this.#recountPage(page);
      done += page.length;
      this.#options.progress(done, counted?.all ?? 0);
      page = await this.#page(page.at(-1)?.contactId ?? '');
    }
  }

  async #page(after: string): Promise<ContactRow[]> {
    const rows = await this.#tx<(Omit<ContactRow, 'followedAt'> & { followedAt: Date | null })[]>`
      select bot_id as "botId", contact_id as "contactId", platform, followed_at as "followedAt", earlier_friend as "earlierFriend",
        blocked, ever_blocked as "everBlocked"
      from contacts where bot_id = ${this.#bot.botId} and contact_id > ${after}
      order by contact_id limit ${pageContacts}`;
    return rows.map((row) => ({ ...row, followedAt: row.followedAt?.getTime() ?? null }));
  }

  async #recountPage(page: readonly ContactRow[]): Promise<void> {
    const { botId } = this.#bot;
    const contactIds = page.map(({ contactId }) => contactId);
    const [events, sessions] = await Promise.all([
      eventsOfContacts(this.#tx, page, countedKinds),
      sessionsOfContacts(this.#tx, botId, contactIds),
    ]);
    const eventsByContact = Map.groupBy(events, ({ contactId }) => contactId ?? '');
    const sessionChanges = noSessionChanges();
    const changedContacts: ContactRow[] = [];
    for (const contact of page) {
      const ofContact = eventsByContact.get(contact.contactId) ?? [];
      const recounted = this.#recountContact(contact, ofContact);
      if (this.#differs(`contact ${contact.contactId}`, contact, recounted)) changedContacts.push(recounted);
      this.#recountSessions(contact, ofContact, sessions.get(contact.contactId) ?? [], sessionChanges);
    }
    if (this.#options.check) return;
    await writeSessions(this.#tx, sessionChanges);
    await writeFollowerStates(this.#tx, changedContacts);
  }

  #recountContact(contact: ContactRow, events: readonly Event[]): ContactRow {
    const { platform } = contact;
    for (const { kind, happenedAt } of events) {
      if (addsMessage(platform, kind))
        this.#tally.add(platform, happenedAt, kind === 'message-in' ? { inbound: 1 } : { outbound: 1 });
    }
    const first = foldFollows(this.#tally, platform, null, events);
    const blocks = blockEvents(events);
    const everBlocked = blocks.some(({ isBlock }) => isBlock);
    const blocked = everBlocked && foldBlocks(this.#tally, platform, [], blocks);
    const { followedAt, earlierFriend } = first ?? { followedAt: null, earlierFriend: null };
    return { ...contact, followedAt, earlierFriend, blocked, everBlocked };
  }

  #recountSessions(
    { botId, contactId, platform }: ContactRow,
    events: readonly Event[],
    stored: readonly Session[],
    changes: SessionChanges,
  ): void {
    const messages = events.flatMap(({ kind, happenedAt }) =>
      isMessage(kind) ? [sessionOf(happenedAt, kind)] : [],
    );
    const sessions = mergeSessions(messages, this.#bot.conversationGapSeconds * 1_000);
    for (const session of sessions) tallySession(this.#tally, platform, session, 1);
    if (!this.#differs(`conversations of contact ${contactId}`, stored, sessions)) return;
    changes.removed.push(...stored.map(({ firstAt }) => ({ botId, contactId, firstAt })));
    changes.added.push(...sessions.map((session) => ({ ...session, botId, contactId, platform })));
  }

  /** Messages in groups and rooms belong to no conversation, so only their sums are recounted. */
  async #messagesWithoutContact(): Promise<void> {
    const rows = await this.#tx<{ platform: PlatformName; kind: string; quarter: Date; count: number }[]>`
      select platform, kind, date_bin('15 minutes', happened_at, 'epoch') as quarter, count(*)::integer as count
      from events
      where bot_id = ${this.#bot.botId} and contact_id is null and kind in ('message-in', 'message-out')
      group by platform, kind, quarter`;
    for (const { platform, kind, quarter, count } of rows) {
      const change = kind === 'message-in' ? { inbound: count } : { outbound: count };
      this.#tally.add(platform, quarter.getTime(), change);
    }
  }

  /** LINE's outbound messages: LINE's own figure on days that LINE has reported, else the sends through our gateway. */
  async #sends(): Promise<void> {
    const { botId } = this.#bot;
    const [stored, sends] = await Promise.all([readSendDays(this.#tx, botId), sumSends(this.#tx, botId)]);
    const isDifferent = this.#differs('sends by day', stored, sends);
    if (isDifferent && !this.#options.check) await rewriteSendDays(this.#tx, botId, sends);
    const outbound = sumsByDay(sends);
    for (const { day, messages } of await lineDeliverySums(this.#tx, botId)) outbound.set(day, messages);
    for (const [day, messages] of outbound) this.#tally.addOnDay('line', day, { outbound: messages });
  }

  async #sums(): Promise<void> {
    const { botId } = this.#bot;
    const tagged = await countTagged(this.#tx, botId);
    const recounted = recountedSums(this.#tally, tagged);
    const stored = await readStoredSums(this.#tx, botId);
    for (const name of new Set([...recounted.keys(), ...stored.keys()])) {
      this.#differs(name, withoutZeros(stored.get(name)), withoutZeros(recounted.get(name)));
    }
    if (!this.#options.check) await rewriteSums(this.#tx, botId, this.#tally, tagged);
  }

  async #coverEnds(): Promise<void> {
    const { botId } = this.#bot;
    for (const wrong of await wrongCoverEnds(this.#tx, botId, differencesMax)) {
      this.#differs(`end of the tag cover of contact ${wrong.contactId}`, wrong.kept, wrong.recounted);
    }
    if (!this.#options.check) await rewriteCoverEnds(this.#tx, botId);
  }

  async #pointDays(): Promise<void> {
    for (const { day, kept, recounted } of await wrongPointDays(this.#tx, this.#bot)) {
      this.#differs(`points of ${day}`, kept, recounted);
    }
    if (!this.#options.check) await dropPointDays(this.#tx, this.#bot.botId);
  }

  #differs(where: string, stored: unknown, recounted: unknown): boolean {
    const [storedText, recountedText] = [JSON.stringify(stored), JSON.stringify(recounted)];
    if (storedText === recountedText) return false;
    if (this.#differences.length < differencesMax) {
      this.#differences.push({ where, kept: storedText, recounted: recountedText });
    }
    return true;
  }
}

const countedKinds = eventKinds.filter((kind) => !['status', 'other', 'ignored'].includes(kind));
