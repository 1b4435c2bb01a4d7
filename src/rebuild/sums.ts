/** The stored sums of a bot (`totals`, `days`, `hours`) by name, to compare them with recounted ones, and their replacement. */
import type { Transaction } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { figureColumns, type Sums, type Tally } from '../rollups/counters.ts';

/** Values by row name, such as `day 2026-03-01 Asia/Taipei line`. */
export type NamedSums = Map<string, Readonly<Record<string, number>>>;

type Tagged = ReadonlyMap<PlatformName, number>;
type DayName = { platform: PlatformName; zone: string; day: string };
type HourName = { platform: PlatformName; day: string; hour: number };

/** The sums of a tally; `tagged`: the tagged contacts of each platform. */
export function recountedSums(tally: Tally, tagged: Tagged): NamedSums {
  const { totals, days, hours } = tally.rows();
  const named: NamedSums = new Map();
  for (const { platform, sums } of totals) named.set(totalsName(platform), sums);
  for (const [platform, taggedContacts] of tagged) {
    const name = totalsName(platform);
    named.set(name, { ...named.get(name), taggedContacts });
  }
  for (const row of days) named.set(dayName(row), row.sums);
  for (const row of hours) named.set(hourName(row), { inbound: row.inbound, outbound: row.outbound });
  return named;
}

/** The stored sums of the bot. */
export async function readStoredSums(tx: Transaction, botId: string): Promise<NamedSums> {
  const columns = Object.entries(figureColumns).map(([name, column]) => `${column} as "${name}"`);
  const sums = tx.unsafe(columns.join(', '));
  const day = tx`to_char(day, 'YYYY-MM-DD') as day`;
  const totals = await tx<(Sums & { platform: PlatformName; taggedContacts: number })[]>`
    select platform, tagged_contacts as "taggedContacts", ${sums} from totals where bot_id = ${botId}`;
  const days = await tx<
    (Sums & DayName)[]
  >`select platform, zone, ${day}, ${sums} from days where bot_id = ${botId}`;
  const hours = await tx<(HourName & { inbound: number; outbound: number })[]>`
    select platform, ${day}, hour, inbound, outbound from hours where bot_id = ${botId}`;
  return new Map([
    ...totals.map(({ platform, ...values }) => [totalsName(platform), values] as const),
    ...days.map(({ platform, zone, day, ...values }) => [dayName({ platform, zone, day }), values] as const),
    ...hours.map(
      ({ platform, day, hour, ...values }) => [hourName({ platform, day, hour }), values] as const,
    ),
  ]);
}

/** The sums without zeros, in order of their names: a row of zeros and no row are the same. */
export function withoutZeros(sums: Readonly<Record<string, number>> = {}): Record<string, number> {
  const entries = Object.entries(sums).filter(([, value]) => value !== 0);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Replaces the stored sums by those of the tally. Other columns of `totals` stay. */
export async function rewriteSums(
  tx: Transaction,
  botId: string,
  tally: Tally,
  tagged: Tagged,
): Promise<void> {
  const columns = [...Object.values(figureColumns), 'tagged_contacts'];
  await tx`delete from days where bot_id = ${botId}`;
  await tx`delete from hours where bot_id = ${botId}`;
  await tx`
    update totals set ${tx.unsafe(columns.map((column) => `${column} = 0`).join(', '))} where bot_id = ${botId}`;
  await tally.write(tx, botId);
  for (const [platform, count] of tagged) {
    await tx`
      insert into totals (bot_id, platform, tagged_contacts) values (${botId}, ${platform}, ${count})
      on conflict (bot_id, platform) do update set tagged_contacts = excluded.tagged_contacts`;
  }
}

function totalsName(platform: PlatformName): string {
  return `totals ${platform}`;
}

function dayName({ platform, zone, day }: DayName): string {
  return `day ${day} ${zone} ${platform}`;
}

function hourName({ platform, day, hour }: HourName): string {
  return `hour ${day} ${hour} ${platform}`;
}
