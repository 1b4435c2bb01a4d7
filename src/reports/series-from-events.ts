/**
 * Figures by period in a zone without stored days, counted from events, first follows, message sessions and LINE's daily sums.
 *
 * Shoal computes the start of each period with the calendar that it uses for stored days. PostgreSQL only finds the period of
 * each instant, because its time zone data may be of another year. Each group of figures is one query, made only if requested.
 */

import type { DayRange } from '../comparison.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { blockStateAfter, eventKinds } from '../platforms/event.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { FigureName } from '../rollups/counters.ts';
import { firstReported } from '../rollups/follower-changes.ts';
import { addDays, dayStart, lineZone } from '../time.ts';
import { limitStatementTime } from './timeouts.ts';

/** Figures of a platform in a period; `period` counts from 1. */
export type PeriodRow = { platform: PlatformName; period: number } & Partial<Record<FigureName, number>>;

type Request = {
  platforms: PlatformName[];
  figures: ReadonlySet<FigureName>;
  zone: string;
  periods: readonly DayRange[];
  /** The last day ends at this instant (ms), so LINE's sums of days are left out; null: it is complete. */
  until?: number | null;
};
/** Instants in ISO 8601: the client cannot send an array of dates. */
type Scope = { botId: string; platforms: PlatformName[]; starts: string[]; end: string };

/** Returns the requested figures in rows that the caller sums. Limits the time of the transaction's statements. */
export async function countFiguresFromEvents(
  tx: Transaction,
  botId: string,
  { platforms, figures, zone, periods, until = null }: Request,
): Promise<PeriodRow[]> {
  await limitStatementTime(tx);
  const startOf = (day: string) => new Date(dayStart(day, zone)).toISOString();
  const starts = periods.map(({ first }) => startOf(first));
  const lastDay = periods.at(-1)?.last ?? '';
  const end = until === null ? startOf(addDays(lastDay, 1)) : new Date(until).toISOString();
  const scope = { botId, platforms, starts, end };
  const includes = (...names: FigureName[]) => names.some((name) => figures.has(name));
  const rows = await Promise.all([
    includes('inbound', 'outbound') ? countMessages(tx, scope) : [],
    includes('outbound') && platforms.includes('line') && until === null
      ? sumLineSends(tx, botId, periods)
      : [],
    includes('followers', 'blocks') ? countFollows(tx, scope, await lineRuleStart(tx, botId, zone)) : [],
    includes('blocks') ? countBlocks(tx, scope) : [],
    includes('conversations', 'conversationMessages', 'conversationMs') ? countConversations(tx, scope) : [],
  ]);
  return rows.flat();
}

async function countMessages(sql: Queryable, { botId, platforms, starts, end }: Scope): Promise<PeriodRow[]> {
  return sql<PeriodRow[]>`
    select platform, width_bucket(happened_at, ${starts}::timestamptz[]) as period,
      count(*) filter (where kind = 'message-in') as inbound,
      count(*) filter (where kind = 'message-out' and platform <> 'line') as outbound
    from events
    where bot_id = ${botId} and platform = any(${platforms}) and kind in ('message-in', 'message-out')
      and happened_at >= ${starts[0] ?? end} and happened_at < ${end}
    group by platform, period`;
}

/** LINE reports sent messages by day. They count on the day of that date in every zone (figures.md, section 3). */
async function sumLineSends(
  sql: Queryable,
  botId: string,
  periods: readonly DayRange[],
): Promise<PeriodRow[]> {
  return sql<PeriodRow[]>`
    select platform, width_bucket(day, ${periods.map(({ first }) => first)}::date[]) as period,
      sum(outbound)::bigint as outbound
    from days
    where bot_id = ${botId} and platform = 'line' and zone = ${lineZone}
      and day between ${periods[0]?.first ?? ''} and ${periods.at(-1)?.last ?? ''}
    group by platform, period`;
}

/** The instant from which LINE's rule of earlier friends applies in the zone (follower-changes.ts); null: never. */
async function lineRuleStart(sql: Queryable, botId: string, zone: string): Promise<string | null> {
  const [row] = await sql<{ day: string | null }[]>`
    select to_char(${firstReported(sql, botId)}, 'YYYY-MM-DD') as day`;
  return row?.day ? new Date(dayStart(addDays(row.day, 1), zone)).toISOString() : null;
}

/** Counts followers, and the blocks that LINE's rule subtracts. */
async function countFollows(
  sql: Queryable,
  { botId, platforms, starts, end }: Scope,
  lineRuleFrom: string | null,
): Promise<PeriodRow[]> {
  return sql<PeriodRow[]>`
    select platform, width_bucket(followed_at, ${starts}::timestamptz[]) as period,
      count(*) - count(earlier_friend) filter (where followed_at >= ${lineRuleFrom}::timestamptz) as followers,
      -count(*) filter (where earlier_friend = 'blocker' and followed_at >= ${lineRuleFrom}::timestamptz) as blocks
    from contacts
    where bot_id = ${botId} and platform = any(${platforms})
      and followed_at >= ${starts[0] ?? end} and followed_at < ${end}
    group by platform, period`;
}

/** The block state after an event, for each kind that changes it: 1 for blocked, 0 for not blocked. */
const blockStates = platformNames.flatMap((platform) =>
  eventKinds.flatMap((kind) => {
    const blocked = blockStateAfter(platform, kind);
    return blocked === null ? [] : [{ platform, kind, blocked: Number(blocked) }];
  }),
);

/**
 * Counts block transitions of contacts that were ever blocked. Events before the range give the state at its start. LINE's contacts
 * are found by their events of the range, through an index: a follow or unfollow is the only change of their state.
 */
async function countBlocks(sql: Queryable, { botId, platforms, starts, end }: Scope): Promise<PeriodRow[]> {
  return sql<PeriodRow[]>`
    with states as (
      select event.platform, happened_at, state.blocked,
        lag(state.blocked, 1, 0) over (partition by event.contact_id order by happened_at, key) as before
      from contacts
      join events event on event.bot_id = contacts.bot_id and event.contact_id = contacts.contact_id
      join ${rowTable(sql, 'state', blockStates, {
        platform: ['text', ({ platform }) => platform],
        kind: ['text', ({ kind }) => kind],
        blocked: ['integer', ({ blocked }) => blocked],
      })} on state.platform = event.platform and state.kind = event.kind
      where contacts.bot_id = ${botId} and contacts.platform = any(${platforms}) and contacts.ever_blocked
        and (contacts.platform <> 'line' or contacts.contact_id in (
          select contact_id from events
          where bot_id = ${botId} and kind in ('follow', 'unfollow')
            and happened_at >= ${starts[0] ?? end} and happened_at < ${end}))
        and happened_at < ${end}
    )
    select platform, width_bucket(happened_at, ${starts}::timestamptz[]) as period,
      sum(blocked - before)::bigint as blocks
    from states
    where happened_at >= ${starts[0] ?? end}
    group by platform, period`;
}

async function countConversations(
  sql: Queryable,
  { botId, platforms, starts, end }: Scope,
): Promise<PeriodRow[]> {
  return sql<PeriodRow[]>`
    select platform, width_bucket(first_at, ${starts}::timestamptz[]) as period, count(*) as conversations,
      sum(inbound + outbound)::bigint as "conversationMessages",
      sum(extract(epoch from last_at - first_at) * 1000)::bigint as "conversationMs"
    from conversations
    where bot_id = ${botId} and platform = any(${platforms}) and inbound > 0
      and (first_at at time zone 'UTC') >= ${starts[0] ?? end}::timestamptz at time zone 'UTC'
      and (first_at at time zone 'UTC') < ${end}::timestamptz at time zone 'UTC'
    group by platform, period`;
}
