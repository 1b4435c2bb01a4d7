/**
 * The recount: all kept rows of a bot computed anew from its events, tags, snapshots and sends.
 *
 * It goes contact by contact with the same pure functions as the fold, but with everything of the contact at once and no
 * kept row as input, so it proves (`check`) or restores the kept rows. Memory holds one page of contacts and the day rows.
 */
import { type Bot, findBot, lockBot } from '../bots/bots.ts';
import { storeStates } from '../contacts/batch-contacts.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { eventsOfContacts } from '../events/store.ts';
import { readSendDays, rewriteSendDays, sumSends, sumsByDay } from '../line/outbound.ts';
import { lineDeliverySums } from '../line/snapshots.ts';
import {
  addsMessage,
  blockStateAfter,
  type EarlierFriend,
  type Event,
  eventKinds,
  isMessage,
} from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dropPointDays, wrongPointDays } from '../points/point-periods.ts';
import { noRunChanges, type RunChanges, runsOfContacts, writeRuns } from '../rollups/conversation-rows.ts';
import { mergeRuns, type Run, runOf, tallyRun } from '../rollups/conversations.ts';
import { type DayRow, type FigureName, figureNames, type HourRow, Tally } from '../rollups/counters.ts';
import { type FirstFollow, foldBlocks, foldFollow, followOf, type StateEvent } from '../rollups/followers.ts';
import { countTagged, rewriteCoverEnds, wrongCoverEnds } from '../tags/coverage.ts';

/** One kept value that differs from its recount. */
export type Difference = { where: string; kept: string; recounted: string };

export type RecountOptions = {
  /** True: compare only, change nothing. */
  check: boolean;
  /** Told now and then: contacts done, of how many. */
  progress(done: number, all: number): void;
};

const pageContacts = 500;
const differencesMax = 1_000;

/**
 * Recounts the bot and gives what differed, at most 1,000 differences. With `check` it reads one consistent snapshot beside
 * running folds; without, it holds the bot's lock: deliveries are taken in meanwhile and folded afterwards. Safe to repeat.
 * Throws BOT_NOT_FOUND.
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

/** Recounts a bot in a transaction that holds its lock. `bot` as it is to be counted: its zone and its gap. */
export async function recountLocked(
  tx: Transaction,
  bot: Bot,
  progress: RecountOptions['progress'],
): Promise<void> {
  await new Recount(tx, bot, { check: false, progress }).run();
}

type ContactRow = {
  contactId: string;
  platform: PlatformName;
  followedAt: number | null;
  earlierFriend: EarlierFriend | null;
  blocked: boolean;
  everBlocked: boolean;
};

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
    const all = counted?.all ?? 0;
    let done = 0;
    for (
      let page = await this.#page('');
      page.length > 0;
      page = await this.#page(page.at(-1)?.contactId ?? '')
    ) {
      await this.#recountPage(page);
      done += page.length;
      this.#options.progress(done, all);
    }
  }

  async #page(after: string): Promise<ContactRow[]> {
    const rows = await this.#tx<(Omit<ContactRow, 'followedAt'> & { followedAt: Date | null })[]>`
      select contact_id as "contactId", platform, followed_at as "followedAt", earlier_friend as "earlierFriend",
        blocked, ever_blocked as "everBlocked"
      from contacts where bot_id = ${this.#bot.botId} and contact_id > ${after}
      order by contact_id limit ${pageContacts}`;
    return rows.map((row) => ({ ...row, followedAt: row.followedAt?.getTime() ?? null }));
  }

  async #recountPage(page: readonly ContactRow[]): Promise<void> {
    const { botId } = this.#bot;
    const contactIds = page.map(({ contactId }) => contactId);
    const [events, kept] = await Promise.all([
      eventsOfContacts(this.#tx, botId, contactIds, countedKinds),
      runsOfContacts(this.#tx, botId, contactIds),
    ]);
    const byContact = Map.groupBy(events, ({ contactId }) => contactId ?? '');
    const changes = noRunChanges();
    const changed: ContactRow[] = [];
    for (const contact of page) {
      const ofContact = byContact.get(contact.contactId) ?? [];
      const recounted = this.#recountContact(contact, ofContact);
      if (this.#differs(`contact ${contact.contactId}`, contact, recounted)) changed.push(recounted);
      this.#recountRuns(contact, ofContact, kept.get(contact.contactId) ?? [], changes);
    }
    if (this.#options.check) return;
    await writeRuns(this.#tx, botId, changes);
    await storeStates(this.#tx, botId, changed);
  }

  #recountContact(contact: ContactRow, events: readonly Event[]): ContactRow {
    const { platform } = contact;
    let first: FirstFollow | null = null;
    const states: StateEvent[] = [];
    for (const event of events) {
      const { kind, key, happenedAt } = event;
      if (addsMessage(platform, kind)) {
        this.#tally.add(platform, happenedAt, kind === 'message-in' ? { inbound: 1 } : { outbound: 1 });
      }
      const follow = followOf(event);
      if (follow !== null) first = foldFollow(this.#tally, platform, first, follow);
      const blocked = blockStateAfter(platform, kind);
      if (blocked !== null) states.push({ key, at: happenedAt, blocked });
    }
    const everBlocked = states.some((state) => state.blocked);
    const blocked = everBlocked && foldBlocks(this.#tally, platform, [], states);
    const { followedAt, earlierFriend } = first ?? { followedAt: null, earlierFriend: null };
    return { ...contact, followedAt, earlierFriend, blocked, everBlocked };
  }

  #recountRuns(
    { contactId, platform }: ContactRow,
    events: readonly Event[],
    kept: readonly Run[],
    changes: RunChanges,
  ): void {
    const messages = events.flatMap(({ kind, happenedAt }) =>
      isMessage(kind) ? [runOf(happenedAt, kind)] : [],
    );
    const runs = mergeRuns(messages, this.#bot.conversationGapSeconds * 1_000);
    for (const run of runs) tallyRun(this.#tally, platform, run, 1);
    if (!this.#differs(`conversations of contact ${contactId}`, kept, runs)) return;
    changes.removed.push(...kept.map(({ firstAt }) => ({ contactId, firstAt })));
    changes.added.push(...runs.map((run) => ({ ...run, contactId, platform })));
  }

  /** Group and room messages: nobody's conversation, so their sums by day are all there is to recount. */
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

  /** LINE's outbound messages: of a day that LINE has told its own, of another what was sent through our gateway. */
  async #sends(): Promise<void> {
    const { botId } = this.#bot;
    const [kept, sends] = await Promise.all([readSendDays(this.#tx, botId), sumSends(this.#tx, botId)]);
    const isDifferent = this.#differs('sends by day', kept, sends);
    if (isDifferent && !this.#options.check) await rewriteSendDays(this.#tx, botId, sends);
    const outbound = sumsByDay(sends);
    for (const { day, messages } of await lineDeliverySums(this.#tx, botId)) outbound.set(day, messages);
    for (const [day, messages] of outbound) this.#tally.addOnDay('line', day, { outbound: messages });
  }

  async #sums(): Promise<void> {
    const { botId } = this.#bot;
    const { totals, days, hours } = this.#tally.rows();
    const tagged = await countTagged(this.#tx, botId);
    const keptTotals = await this.#tx<SumsRow[]>`select * from totals where bot_id = ${botId}`;
    const keptDays = await this.#tx<(SumsRow & { zone: string; day_text: string })[]>`
      select days.*, to_char(day, 'YYYY-MM-DD') as day_text from days where bot_id = ${botId}`;
    const keptHours = await this.#tx<HourRow[]>`
      select platform, to_char(day, 'YYYY-MM-DD') as day, hour, inbound, outbound from hours where bot_id = ${botId}`;
    const recounted = new Map<string, Partial<Record<string, number>>>();
    for (const { platform, sums } of totals) recounted.set(`totals ${platform}`, { ...sums });
    for (const [platform, taggedContacts] of tagged) {
      const name = `totals ${platform}`;
      recounted.set(name, { ...recounted.get(name), taggedContacts });
    }
    for (const row of days) recounted.set(dayName(row), { ...row.sums });
    for (const row of hours) recounted.set(hourName(row), messagesOf(row));
    const kept = new Map<string, Partial<Record<string, number>>>();
    for (const row of keptTotals) {
      kept.set(`totals ${row.platform}`, { ...sumsOf(row), taggedContacts: row.tagged_contacts });
    }
    for (const row of keptDays) kept.set(dayName({ ...row, day: row.day_text }), sumsOf(row));
    for (const row of keptHours) kept.set(hourName(row), messagesOf(row));
    for (const name of new Set([...recounted.keys(), ...kept.keys()])) {
      this.#differs(name, withoutZeros(kept.get(name)), withoutZeros(recounted.get(name)));
    }
    if (!this.#options.check) await this.#rewriteSums(tagged);
  }

  async #rewriteSums(tagged: ReadonlyMap<PlatformName, number>): Promise<void> {
    const { botId } = this.#bot;
    await this.#tx`delete from days where bot_id = ${botId}`;
    await this.#tx`delete from hours where bot_id = ${botId}`;
    await this.#tx`
      update totals set followers = 0, blocks = 0, inbound = 0, outbound = 0, conversations = 0,
        conversation_messages = 0, conversation_ms = 0, earlier_friends = 0, earlier_blockers = 0, tagged_contacts = 0
      where bot_id = ${botId}`;
    await this.#tally.write(this.#tx, botId);
    for (const [platform, count] of tagged) {
      await this.#tx`
        insert into totals (bot_id, platform, tagged_contacts) values (${botId}, ${platform}, ${count})
        on conflict (bot_id, platform) do update set tagged_contacts = excluded.tagged_contacts`;
    }
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

  #differs(where: string, kept: unknown, recounted: unknown): boolean {
    const [keptText, recountedText] = [JSON.stringify(kept), JSON.stringify(recounted)];
    if (keptText === recountedText) return false;
    if (this.#differences.length < differencesMax) {
      this.#differences.push({ where, kept: keptText, recounted: recountedText });
    }
    return true;
  }
}

const countedKinds = eventKinds.filter((kind) => !['status', 'other', 'ignored'].includes(kind));

type SumsRow = {
  platform: PlatformName;
  followers: number;
  blocks: number;
  inbound: number;
  outbound: number;
  conversations: number;
  conversation_messages: number;
  conversation_ms: number;
  earlier_friends: number;
  earlier_blockers: number;
  tagged_contacts: number;
};

function sumsOf(row: SumsRow): Record<FigureName, number> {
  return {
    followers: row.followers,
    blocks: row.blocks,
    inbound: row.inbound,
    outbound: row.outbound,
    conversations: row.conversations,
    conversationMessages: row.conversation_messages,
    conversationMs: row.conversation_ms,
    earlierFriends: row.earlier_friends,
    earlierBlockers: row.earlier_blockers,
  };
}

function dayName({ platform, zone, day }: Pick<DayRow, 'zone' | 'day'> & { platform: PlatformName }): string {
  return `day ${day} ${zone} ${platform}`;
}

function hourName({ platform, day, hour }: HourRow): string {
  return `hour ${day} ${hour} ${platform}`;
}

function messagesOf({ inbound, outbound }: HourRow): Partial<Record<FigureName, number>> {
  return { inbound, outbound };
}

/** A row of nothing but zeros and no row are the same. */
function withoutZeros(sums: Partial<Record<string, number>> | undefined): Partial<Record<string, number>> {
  const names = [...figureNames, 'taggedContacts'];
  return Object.fromEntries(names.flatMap((name) => (sums?.[name] ? [[name, sums[name]]] : [])));
}
