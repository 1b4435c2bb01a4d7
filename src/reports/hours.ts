/**
 * Messages by hour of the day and day of the week, in the bot's zone, from stored counters (figures.md, section 14).
 */
import type { components } from '../../contracts/types/management.ts';
import type { Bot } from '../bots/bots.ts';
import type { Queryable } from '../database/client.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { selectConnected } from './series.ts';

/** `weekday` 1 (Monday) to 7 (Sunday), `hour` 0 to 23. `outbound` is null for LINE, which reports sent messages by day only. */
type WeekHour = components['schemas']['MessageHours']['hours'][number];

const weekdays = [1, 2, 3, 4, 5, 6, 7];
const hoursOfDay = Array.from({ length: 24 }, (_, hour) => hour);

/**
 * Returns every hour of the week over the days from `from` to `to`, both included, for each platform that has a channel and for
 * all of them. `all` sums the outbound messages of the platforms that report them by hour.
 */
export async function readWeekHours(
  sql: Queryable,
  { botId }: Bot,
  { from, to, platforms }: { from: string; to: string; platforms: readonly PlatformName[] },
): Promise<WeekHour[]> {
  const [connected, rows] = await Promise.all([
    selectConnected(sql, botId),
    sql<{ platform: PlatformName; weekday: number; hour: number; inbound: number; outbound: number }[]>`
      select platform, extract(isodow from day)::integer as weekday, hour::integer, sum(inbound)::float8 as inbound,
        sum(outbound)::float8 as outbound
      from hours
      where bot_id = ${botId} and platform = any (${platforms as PlatformName[]}::text[]) and day between ${from} and ${to}
      group by platform, weekday, hour`,
  ]);
  const shown = connected.filter((name) => platforms.includes(name));
  const keyOf = (platform: string, weekday: number, hour: number) => `${platform} ${weekday} ${hour}`;
  const counts = new Map(rows.map((row) => [keyOf(row.platform, row.weekday, row.hour), row]));
  const weekHour = (platform: PlatformName, weekday: number, hour: number): WeekHour => {
    const { inbound = 0, outbound = 0 } = counts.get(keyOf(platform, weekday, hour)) ?? {};
    return { platform, weekday, hour, inbound, outbound: platform === 'line' ? null : outbound };
  };
  return weekdays.flatMap((weekday) =>
    hoursOfDay.flatMap((hour) => {
      const each = shown.map((platform) => weekHour(platform, weekday, hour));
      return [...each, sumOf(each, { weekday, hour })];
    }),
  );
}

function sumOf(platforms: readonly WeekHour[], time: Pick<WeekHour, 'weekday' | 'hour'>): WeekHour {
  const outbound = platforms.flatMap((one) => one.outbound ?? []);
  return {
    platform: 'all',
    ...time,
    inbound: platforms.reduce((sum, one) => sum + one.inbound, 0),
    outbound: outbound.length === 0 ? null : outbound.reduce((sum, count) => sum + count, 0),
  };
}
