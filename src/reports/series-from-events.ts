/**
 * Figures by period in a zone of which no days are kept, from what is kept for ever: events, first follows and runs,
 * and what is told by the day alone.
 *
 * The instants at which the periods begin are worked out here, by the same calendar as the kept days, and PostgreSQL only puts
 * each instant between two of them: its own knowledge of time zones, which may be of another year, is not asked. Each family
 * of figures is one query; those that nobody asked for are left out.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import type { Period } from '../periods.ts';
import { blockStateAfter, eventKinds } from '../platforms/event.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { FigureName } from '../rollups/counters.ts';
import { firstReported } from '../rollups/follower-changes.ts';
import { addDays, dayStart, lineZone } from '../time.ts';
import { boundStatements } from './timeouts.ts';

/** Figures of a platform in a period; `period` counts from 1. */
export type PeriodRow = { platform: PlatformName; period: number } & Partial<Record<FigureName, number>>;

type Asked = {
  platforms: PlatformName[];
  figures: ReadonlySet<FigureName>;
  zone: string;
  periods: readonly Period[];
};
/** Instants in ISO 8601: the client cannot send an array of dates. */
type Scope = { botId: string; platforms: PlatformName[]; starts: string[]; end: string };

/** The asked figures, in rows that are to be added up. For a transaction, whose statements it bounds. */
export async function computeFigures(
  tx: Transaction,
  botId: string,
  { platforms, figures, zone, periods }: Asked,
): Promise<PeriodRow[]> {
  await boundStatements(tx);
  const startOf = (day: string) => new Date(dayStart(day, zone)).toISOString();
  const starts = periods.map(({ first }) => startOf(first));
  const end = startOf(addDays(periods.at(-1)?.last ?? '', 1));
  const scope = { botId, platforms, starts, end };
  const asksFor = (...names: FigureName[]) => names.some((name) => figures.has(name));
  const rows = await Promise.all([
    asksFor('inbound', 'outbound') ? countMessages(tx, scope) : [],
    asksFor('outbound') && platforms.includes('line') ? sumLineSends(tx, botId, periods) : [],
    asksFor('followers', 'blocks') ? countFollows(tx, scope, await lineRuleStart(tx, botId, zone)) : [],
    asksFor('blocks') ? countBlocks(tx, scope) : [],
    asksFor('conversations', 'conversationMessages', 'conversationMs') ? countConversations(tx, scope) : [],
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

/** What was sent on LINE is told by the day, and counts on the day of that date in every zone (figures.md, section 3). */
async function sumLineSends(sql: Queryable, botId: string, periods: readonly Period[]): Promise<PeriodRow[]> {
  return sql<PeriodRow[]>`
    select platform, width_bucket(day, ${periods.map(({ first }) => first)}::date[]) as period,
      sum(outbound)::bigint as outbound
    from days
    where bot_id = ${botId} and platform = 'line' and zone = ${lineZone}
      and day between ${periods[0]?.first ?? ''} and ${periods.at(-1)?.last ?? ''}
    group by platform, period`;
}

/** The instant from which on LINE's rule holds in the zone (follower-changes.ts); null: never. */
async function lineRuleStart(sql: Queryable, botId: string, zone: string): Promise<string | null> {
  const [row] = await sql<{ day: string | null }[]>`
    select to_char(${firstReported(sql, botId)}, 'YYYY-MM-DD') as day`;
  return row?.day ? new Date(dayStart(addDays(row.day, 1), zone)).toISOString() : null;
}

/** Followers, and what LINE's rule takes off the blocks. */
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

/** What the kinds of events mean for blocks, as rows: (platform, kind, 1 for blocked or 0 for not). */
const blockStates = platformNames.flatMap((platform) =>
  eventKinds.flatMap((kind) => {
    const blocked = blockStateAfter(platform, kind);
    return blocked === null ? [] : [{ platform, kind, blocked: Number(blocked) }];
  }),
);

/** The transitions of the contacts that were ever blocked; whether an event is one, the events before the range decide, too. */
async function countBlocks(sql: Queryable, { botId, platforms, starts, end }: Scope): Promise<PeriodRow[]> {
  return sql<PeriodRow[]>`
    with states as (
      select event.platform, happened_at, state.blocked,
        lag(state.blocked, 1, 0) over (partition by event.contact_id order by happened_at, key) as before
      from contacts
      join events event on event.bot_id = contacts.bot_id and event.contact_id = contacts.contact_id
      join unnest(${blockStates.map(({ platform }) => platform)}::text[], ${blockStates.map(({ kind }) => kind)}::text[],
        ${blockStates.map(({ blocked }) => blocked)}::integer[]) as state (platform, kind, blocked)
        on state.platform = event.platform and state.kind = event.kind
      where contacts.bot_id = ${botId} and contacts.platform = any(${platforms}) and contacts.ever_blocked
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
      and first_at >= ${starts[0] ?? end} and first_at < ${end}
    group by platform, period`;
}
