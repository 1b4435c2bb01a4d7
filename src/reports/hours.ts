/**
 * Messages by hour of the day and day of the week, in the bot's zone, from stored counters (figures.md, section 14).
 */
import type { components } from '../../contracts/types/management.ts';
import type { Bot } from '../bots/bots.ts';
import type { Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { selectConnected } from './series.ts';

/** `weekday` 1 (Monday) to 7 (Sunday), `hour` 0 to 23. `outbound` is null for LINE, which reports sent messages by day only. */
type WeekHour = components['schemas']['MessageHours']['hours'][number];

/**
 * Returns every hour of the week over the days from `from` to `to`, both included, for each platform that has a channel and for
 * all of them. `all` sums the outbound messages of the platforms that report them by hour.
 */
export async function readWeekHours(
  sql: Queryable,
  { botId }: Bot,
  { from, to, platforms }: { from: string; to: string; platforms: readonly PlatformName[] },
): Promise<WeekHour[]> {
  const shown = (await selectConnected(sql, botId)).filter((name) => platforms.includes(name));
  const hasOutbound = (name: WeekHour['platform']): boolean =>
    name === 'all' ? shown.some(hasOutbound) : name !== 'line';
  return sql<WeekHour[]>`
    with counts as (
      select coalesce(platform, 'all') as platform, extract(isodow from day)::integer as weekday, hour,
        sum(inbound)::float8 as inbound, sum(outbound) filter (where platform <> 'line')::float8 as outbound
      from hours
      where bot_id = ${botId} and platform = any (${shown}::text[]) and day between ${from} and ${to}
      group by grouping sets ((platform, extract(isodow from day), hour), (extract(isodow from day), hour))
    )
    select platform, weekday, hour, coalesce(inbound, 0) as inbound,
      case when has_outbound then coalesce(outbound, 0) end as outbound
    from ${rowTable(sql, 'line', [...shown, 'all' as const], {
      platform: ['text', (name) => name],
      has_outbound: ['boolean', hasOutbound],
      place: ['integer', (_, index) => index],
    })}
    cross join generate_series(1, 7) weekday cross join generate_series(0, 23) hour
    left join counts using (platform, weekday, hour)
    order by weekday, hour, place`;
}
