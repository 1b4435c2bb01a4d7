/**
 * The stored counters: a batch's changes are summed in memory and written once.
 *
 * `totals` holds each figure since the beginning, `days` by calendar day, `hours` the messages by hour of the bot's zone. A day is
 * stored in the bot's zone and, for LINE, also in UTC+9, because LINE reports its own figures by that day.
 */
import type { Queryable } from '../database/client.ts';
import { type Column, columnNames, rowsOfBots } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayOf, hourOf, lineZone, quarterMs } from '../time.ts';

/** The figures that are sums, and their columns in `totals` and `days`. */
export const figureColumns = {
  followers: 'followers',
  blocks: 'blocks',
  inbound: 'inbound',
  outbound: 'outbound',
  conversations: 'conversations',
  conversationMessages: 'conversation_messages',
  conversationMs: 'conversation_ms',
  // LINE: followers who were friends before their first follow, and those among them who had blocked the account.
  earlierFriends: 'earlier_friends',
  earlierBlockers: 'earlier_blockers',
} as const;
export type FigureName = keyof typeof figureColumns;
export const figureNames = Object.keys(figureColumns) as readonly FigureName[];
export type FigureChange = Partial<Record<FigureName, number>>;

export type Sums = Record<FigureName, number>;
export type DayRow = { platform: PlatformName; zone: string; day: string; sums: Sums };

/** Messages in an hour (0 to 23) of a day, in the bot's zone. */
export type HourRow = {
  platform: PlatformName;
  day: string;
  hour: number;
  inbound: number;
  outbound: number;
};

/** The zones in which days of a platform are stored. */
export function keptZones(platform: PlatformName, botZone: string): string[] {
  return platform === 'line' && botZone !== lineZone ? [botZone, lineZone] : [botZone];
}

/** The rows that a change at an instant adds to. */
type Rows = { hour: HourRow; sums: readonly Sums[] };

export class Tally {
  readonly #botZone: string;
  /** By platform and quarter of an hour: a batch has few of them. */
  readonly #rows = new Map<PlatformName, Map<number, Rows>>();
  readonly #totals = new Map<PlatformName, Sums>();
  readonly #days = new Map<string, DayRow>();
  readonly #hours = new Map<string, HourRow>();
  readonly #deliveredAt = new Map<PlatformName, number>();

  constructor(botZone: string) {
    this.#botZone = botZone;
  }

  /** Adds the change, times `sign`, to the totals and to the days of the instant (ms), and messages also to its hour. */
  add(platform: PlatformName, at: number, change: FigureChange, sign: 1 | -1 = 1): void {
    const { hour, sums } = this.#rowsAt(platform, at);
    const { inbound = 0, outbound = 0 } = change;
    hour.inbound += sign * inbound;
    hour.outbound += sign * outbound;
    for (const sum of sums) addTo(sum, change, sign);
  }

  /** Adds to the totals and to that day in every zone: for figures that LINE reports by day. */
  addOnDay(platform: PlatformName, day: string, change: FigureChange): void {
    addTo(this.#total(platform), change, 1);
    for (const zone of keptZones(platform, this.#botZone))
      addTo(this.#day(platform, zone, day).sums, change, 1);
  }

  /** Records that a webhook of the platform was received at the instant (ms). */
  delivered(platform: PlatformName, at: number): void {
    this.#deliveredAt.set(platform, Math.max(at, this.#deliveredAt.get(platform) ?? at));
  }

  /** The platforms, days and hours that change. */
  rows(): { totals: { platform: PlatformName; sums: Sums }[]; days: DayRow[]; hours: HourRow[] } {
    const isChanged = ({ sums }: { sums: Sums }) => figureNames.some((name) => sums[name] !== 0);
    return {
      totals: [...this.#totals].map(([platform, sums]) => ({ platform, sums })).filter(isChanged),
      days: [...this.#days.values()].filter(isChanged),
      hours: [...this.#hours.values()].filter(({ inbound, outbound }) => inbound !== 0 || outbound !== 0),
    };
  }

  /** When the last webhook of each platform was received (ms). */
  get deliveredAt(): ReadonlyMap<PlatformName, number> {
    return this.#deliveredAt;
  }

  /** Adds the changes to the bot's rows. Not idempotent: belongs in the transaction that made the changes. */
  write(sql: Queryable, botId: string): Promise<void> {
    return writeTallies(sql, new Map([[botId, this]]));
  }

  #rowsAt(platform: PlatformName, at: number): Rows {
    const quarter = Math.floor(at / quarterMs);
    const existing = this.#rows.get(platform)?.get(quarter);
    if (existing) return existing;
    const days = keptZones(platform, this.#botZone).map((zone) => this.#day(platform, zone, dayOf(at, zone)));
    const sums = [this.#total(platform), ...days.map((day) => day.sums)];
    const added = { hour: this.#hour(platform, at), sums };
    const ofPlatform = this.#rows.get(platform) ?? new Map<number, Rows>();
    this.#rows.set(platform, ofPlatform.set(quarter, added));
    return added;
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

const noSums = Object.fromEntries(figureNames.map((name) => [name, 0])) as Sums;

function zeros(): Sums {
  return { ...noSums };
}

function addTo(sums: Sums, change: FigureChange, sign: 1 | -1): void {
  for (const name in change) sums[name as FigureName] += sign * (change[name as FigureName] ?? 0);
}

/** Adds the changes of several bots, by bot id. Not idempotent: belongs in the transaction that made the changes. */
export async function writeTallies(sql: Queryable, tallies: ReadonlyMap<string, Tally>): Promise<void> {
  const totals: TotalsRow[] = [];
  const days: (DayRow & OfBot)[] = [];
  const hours: (HourRow & OfBot)[] = [];
  for (const [botId, tally] of tallies) {
    const rows = tally.rows();
    totals.push(...totalsOf(botId, rows.totals, tally.deliveredAt));
    for (const row of rows.days) days.push({ ...row, botId });
    for (const row of rows.hours) hours.push({ ...row, botId });
  }
  await Promise.all([
    totals.length > 0 ? writeTotals(sql, totals) : undefined,
    days.length > 0 ? writeDays(sql, days) : undefined,
    hours.length > 0 ? writeHours(sql, hours) : undefined,
  ]);
}

type OfBot = { botId: string };
type TotalsRow = OfBot & { platform: PlatformName; sums: Sums; deliveredAt: number | null };

function totalsOf(
  botId: string,
  totals: readonly { platform: PlatformName; sums: Sums }[],
  deliveredAt: ReadonlyMap<PlatformName, number>,
): TotalsRow[] {
  const rows = totals.map((row) => ({ ...row, botId, deliveredAt: deliveredAt.get(row.platform) ?? null }));
  for (const [platform, at] of deliveredAt) {
    if (!totals.some((row) => row.platform === platform))
      rows.push({ botId, platform, sums: zeros(), deliveredAt: at });
  }
  return rows;
}

async function writeTotals(sql: Queryable, rows: readonly TotalsRow[]): Promise<void> {
  const columns: Record<string, Column<TotalsRow>> = {
    ...botColumn,
    platform: ['text', ({ platform }) => platform],
    ...sumColumns,
    last_delivery_at: ['timestamptz', ({ deliveredAt }) => deliveredAt],
  };
  await sql`
    insert into totals as kept (${columnNames(sql, Object.keys(columns))})
    select * from ${rowsOfBots(sql, 'change', rows, columns)}
    on conflict (bot_id, platform) do update set ${sql.unsafe(addedSums)},
      last_delivery_at = greatest(kept.last_delivery_at, excluded.last_delivery_at)`;
}

async function writeDays(sql: Queryable, rows: readonly (DayRow & OfBot)[]): Promise<void> {
  const columns: Record<string, Column<DayRow & OfBot>> = {
    ...botColumn,
    platform: ['text', ({ platform }) => platform],
    zone: ['text', ({ zone }) => zone],
    day: ['date', ({ day }) => day],
    ...sumColumns,
  };
  await sql`
    insert into days as kept (${columnNames(sql, Object.keys(columns))})
    select * from ${rowsOfBots(sql, 'change', rows, columns)}
    on conflict (bot_id, platform, zone, day) do update set ${sql.unsafe(addedSums)}`;
}

async function writeHours(sql: Queryable, rows: readonly (HourRow & OfBot)[]): Promise<void> {
  await sql`
    insert into hours as kept (bot_id, platform, day, hour, inbound, outbound)
    select * from ${rowsOfBots(sql, 'change', rows, {
      ...botColumn,
      platform: ['text', ({ platform }) => platform],
      day: ['date', ({ day }) => day],
      hour: ['smallint', ({ hour }) => hour],
      inbound: ['bigint', ({ inbound }) => inbound],
      outbound: ['bigint', ({ outbound }) => outbound],
    })}
    on conflict (bot_id, platform, day, hour) do update set
      inbound = kept.inbound + excluded.inbound, outbound = kept.outbound + excluded.outbound`;
}

const botColumn: Record<string, Column<OfBot>> = { bot_id: ['text', ({ botId }) => botId] };

const sumColumns: Record<string, Column<{ sums: Sums }>> = Object.fromEntries(
  figureNames.map((name) => [figureColumns[name], ['bigint', ({ sums }) => sums[name]]]),
);

const addedSums = Object.values(figureColumns)
  .map((column) => `${column} = kept.${column} + excluded.${column}`)
  .join(', ');
