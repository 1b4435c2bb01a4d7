/**
 * What a fold adds to the kept rows: changes are gathered in memory, netted, and written once a batch.
 *
 * `totals` holds each figure since the beginning, `days` the same by calendar day, `hours` the messages by hour of the bot's
 * zone. A day row is kept in the bot's zone and, for LINE, in UTC+9 too, because LINE reports its own figures by that day.
 */
import type { Queryable } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayOf, hourOf, lineZone, quarterMs } from '../time.ts';

export const figureNames = [
  'followers',
  'blocks',
  'inbound',
  'outbound',
  'conversations',
  'conversationMessages',
  'conversationMs',
  // LINE: of the followers those who were friends before their first follow, and of these those who had blocked the account.
  'earlierFriends',
  'earlierBlockers',
] as const;
export type FigureName = (typeof figureNames)[number];
export type FigureChange = Partial<Record<FigureName, number>>;

type Sums = Record<FigureName, number>;
export type DayRow = { platform: PlatformName; zone: string; day: string; sums: Sums };

/** Messages in an hour (0 to 23) of a day, in the bot's zone. */
export type HourRow = {
  platform: PlatformName;
  day: string;
  hour: number;
  inbound: number;
  outbound: number;
};

/** The zones in which day rows of a platform are kept. */
export function keptZones(platform: PlatformName, botZone: string): string[] {
  return platform === 'line' && botZone !== lineZone ? [botZone, lineZone] : [botZone];
}

/** The rows that a change at an instant goes to. */
type Place = { hour: HourRow; sums: readonly Sums[] };

export class Tally {
  readonly #botZone: string;
  /** By platform and quarter of an hour: a batch meets few of them. */
  readonly #places = new Map<PlatformName, Map<number, Place>>();
  readonly #totals = new Map<PlatformName, Sums>();
  readonly #days = new Map<string, DayRow>();
  readonly #hours = new Map<string, HourRow>();
  readonly #deliveredAt = new Map<PlatformName, number>();

  constructor(botZone: string) {
    this.#botZone = botZone;
  }

  /** Adds the change, times `sign`, to the totals, and to the days and for messages the hour on which the instant (ms) lies. */
  add(platform: PlatformName, at: number, change: FigureChange, sign: 1 | -1 = 1): void {
    const { hour, sums } = this.#place(platform, at);
    const { inbound = 0, outbound = 0 } = change;
    hour.inbound += sign * inbound;
    hour.outbound += sign * outbound;
    for (const sum of sums) addTo(sum, change, sign);
  }

  /** Adds to the totals and to the day of that date in every kept zone: for figures that are told by the day alone. */
  addOnDay(platform: PlatformName, day: string, change: FigureChange): void {
    addTo(this.#total(platform), change, 1);
    for (const zone of keptZones(platform, this.#botZone))
      addTo(this.#day(platform, zone, day).sums, change, 1);
  }

  /** Notes that a webhook of the platform came in at the instant (ms). */
  delivered(platform: PlatformName, at: number): void {
    this.#deliveredAt.set(platform, Math.max(at, this.#deliveredAt.get(platform) ?? at));
  }

  /** The platforms, days and hours with a change that is not nothing. */
  rows(): { totals: { platform: PlatformName; sums: Sums }[]; days: DayRow[]; hours: HourRow[] } {
    const changed = ({ sums }: { sums: Sums }) => figureNames.some((name) => sums[name] !== 0);
    return {
      totals: [...this.#totals].map(([platform, sums]) => ({ platform, sums })).filter(changed),
      days: [...this.#days.values()].filter(changed),
      hours: [...this.#hours.values()].filter(({ inbound, outbound }) => inbound !== 0 || outbound !== 0),
    };
  }

  /** Adds everything gathered to the bot's rows. Not repeatable: belongs in the transaction that made the changes. */
  async write(sql: Queryable, botId: string): Promise<void> {
    const { totals, days, hours } = this.rows();
    for (const platform of this.#deliveredAt.keys()) {
      if (!totals.some((row) => row.platform === platform)) totals.push({ platform, sums: zeros() });
    }
    const rows = totals.map((row) => ({ ...row, deliveredAt: this.#deliveredAt.get(row.platform) ?? null }));
    await Promise.all([
      rows.length > 0 ? writeTotals(sql, botId, rows) : undefined,
      days.length > 0 ? writeDays(sql, botId, days) : undefined,
      hours.length > 0 ? writeHours(sql, botId, hours) : undefined,
    ]);
  }

  #place(platform: PlatformName, at: number): Place {
    const quarter = Math.floor(at / quarterMs);
    const known = this.#places.get(platform)?.get(quarter);
    if (known) return known;
    const days = keptZones(platform, this.#botZone).map((zone) => this.#day(platform, zone, dayOf(at, zone)));
    const sums = [this.#total(platform), ...days.map((day) => day.sums)];
    const place = { hour: this.#hour(platform, at), sums };
    const places = this.#places.get(platform) ?? new Map<number, Place>();
    this.#places.set(platform, places.set(quarter, place));
    return place;
  }

  #total(platform: PlatformName): Sums {
    const sums = this.#totals.get(platform) ?? zeros();
    this.#totals.set(platform, sums);
    return sums;
  }

  #hour(platform: PlatformName, at: number): HourRow {
    const [day, hour] = [dayOf(at, this.#botZone), hourOf(at, this.#botZone)];
    const key = `${platform} ${day} ${hour}`;
    const row = this.#hours.get(key) ?? { platform, day, hour, inbound: 0, outbound: 0 };
    this.#hours.set(key, row);
    return row;
  }

  #day(platform: PlatformName, zone: string, day: string): DayRow {
    const key = `${platform} ${zone} ${day}`;
    const row = this.#days.get(key) ?? { platform, zone, day, sums: zeros() };
    this.#days.set(key, row);
    return row;
  }
}

function zeros(): Sums {
  return {
    followers: 0,
    blocks: 0,
    inbound: 0,
    outbound: 0,
    conversations: 0,
    conversationMessages: 0,
    conversationMs: 0,
    earlierFriends: 0,
    earlierBlockers: 0,
  };
}

function addTo(sums: Sums, change: FigureChange, sign: 1 | -1): void {
  for (const name in change) sums[name as FigureName] += sign * (change[name as FigureName] ?? 0);
}

async function writeTotals(
  sql: Queryable,
  botId: string,
  rows: { platform: PlatformName; sums: Sums; deliveredAt: number | null }[],
): Promise<void> {
  const column = columnOf(rows);
  await sql`
    insert into totals as kept (bot_id, platform, followers, blocks, inbound, outbound, conversations,
      conversation_messages, conversation_ms, earlier_friends, earlier_blockers, last_delivery_at)
    select ${botId}, platform, followers, blocks, inbound, outbound, conversations, messages, ms, friends, blockers,
      to_timestamp(nullif(delivered_ms, 0) / 1000::float8)
    from unnest(${textList(rows.map((row) => row.platform))}::text[],
      ${column('followers')}::bigint[], ${column('blocks')}::bigint[], ${column('inbound')}::bigint[],
      ${column('outbound')}::bigint[], ${column('conversations')}::bigint[],
      ${column('conversationMessages')}::bigint[], ${column('conversationMs')}::bigint[],
      ${column('earlierFriends')}::bigint[], ${column('earlierBlockers')}::bigint[],
      ${numberList(rows.map(({ deliveredAt }) => deliveredAt ?? 0))}::bigint[])
      as change (platform, followers, blocks, inbound, outbound, conversations, messages, ms, friends, blockers,
        delivered_ms)
    on conflict (bot_id, platform) do update set
      followers = kept.followers + excluded.followers,
      blocks = kept.blocks + excluded.blocks,
      inbound = kept.inbound + excluded.inbound,
      outbound = kept.outbound + excluded.outbound,
      conversations = kept.conversations + excluded.conversations,
      conversation_messages = kept.conversation_messages + excluded.conversation_messages,
      conversation_ms = kept.conversation_ms + excluded.conversation_ms,
      earlier_friends = kept.earlier_friends + excluded.earlier_friends,
      earlier_blockers = kept.earlier_blockers + excluded.earlier_blockers,
      last_delivery_at = greatest(kept.last_delivery_at, excluded.last_delivery_at)`;
}

async function writeDays(sql: Queryable, botId: string, rows: DayRow[]): Promise<void> {
  const column = columnOf(rows);
  await sql`
    insert into days as kept (bot_id, platform, zone, day, followers, blocks, inbound, outbound, conversations,
      conversation_messages, conversation_ms, earlier_friends, earlier_blockers)
    select ${botId}, change.* from unnest(${textList(rows.map((row) => row.platform))}::text[],
      ${textList(rows.map((row) => row.zone))}::text[], ${textList(rows.map((row) => row.day))}::date[],
      ${column('followers')}::bigint[], ${column('blocks')}::bigint[], ${column('inbound')}::bigint[],
      ${column('outbound')}::bigint[], ${column('conversations')}::bigint[],
      ${column('conversationMessages')}::bigint[], ${column('conversationMs')}::bigint[],
      ${column('earlierFriends')}::bigint[], ${column('earlierBlockers')}::bigint[]) as change
    on conflict (bot_id, platform, zone, day) do update set
      followers = kept.followers + excluded.followers,
      blocks = kept.blocks + excluded.blocks,
      inbound = kept.inbound + excluded.inbound,
      outbound = kept.outbound + excluded.outbound,
      conversations = kept.conversations + excluded.conversations,
      conversation_messages = kept.conversation_messages + excluded.conversation_messages,
      conversation_ms = kept.conversation_ms + excluded.conversation_ms,
      earlier_friends = kept.earlier_friends + excluded.earlier_friends,
      earlier_blockers = kept.earlier_blockers + excluded.earlier_blockers`;
}

async function writeHours(sql: Queryable, botId: string, rows: HourRow[]): Promise<void> {
  await sql`
    insert into hours as kept (bot_id, platform, day, hour, inbound, outbound)
    select ${botId}, change.* from unnest(${textList(rows.map((row) => row.platform))}::text[],
      ${textList(rows.map((row) => row.day))}::date[], ${numberList(rows.map((row) => row.hour))}::smallint[],
      ${numberList(rows.map((row) => row.inbound))}::bigint[],
      ${numberList(rows.map((row) => row.outbound))}::bigint[]) as change
    on conflict (bot_id, platform, day, hour) do update set
      inbound = kept.inbound + excluded.inbound, outbound = kept.outbound + excluded.outbound`;
}

function columnOf(rows: readonly { sums: Sums }[]): (name: FigureName) => string {
  return (name) => numberList(rows.map((row) => row.sums[name]));
}
