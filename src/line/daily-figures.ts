/**
 * Followers and deliveries of a LINE channel on a day in UTC+9 (figures.md, section 8), read for many callers in one query.
 *
 * In: LINE's snapshots, and what our own events and gateway tell. A day's own follower figure is that of the latest ready snapshot before it, carried forward by the changes of
 * our events since; without such a snapshot all of our events up to the day's end.
 */
import type { Queryable } from '../database/client.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { lineZone } from '../time.ts';
import type { LineAnswer } from './answers.ts';

/** `day` in UTC+9, YYYY-MM-DD; the bot has a LINE channel. */
export type AskedDay = { botId: string; day: string };

export type LineDay<Own> = {
  /** LINE's ready answer for the day; null: none is held. */
  snapshot: LineAnswer | null;
  /** The channel was connected by then, or an event or a ready snapshot of LINE proves that it existed. */
  existed: boolean;
  own: Own;
};
export type OwnFollowers = { followers: number; blocks: number };
/** Recipients by kind of send; null: there were sends whose recipients are not known. */
export type OwnSends = Partial<Record<SendKind, number | null>>;
export const sendKinds = ['push', 'multicast', 'broadcast', 'narrowcast', 'reply'] as const;
export type SendKind = (typeof sendKinds)[number];

/** LINE's names of what is sent by the API. */
const sendNames: readonly (readonly [SendKind, string])[] = [
  ['broadcast', 'apiBroadcast'],
  ['push', 'apiPush'],
  ['multicast', 'apiMulticast'],
  ['narrowcast', 'apiNarrowcast'],
  ['reply', 'apiReply'],
];

/** The sends by LINE's names; kinds without any are left out. */
export function toLineNames(own: OwnSends): Record<string, number | null> {
  return Object.fromEntries(
    sendNames.flatMap(([kind, name]) => {
      const { [kind]: recipients } = own;
      return recipients === undefined ? [] : [[name, recipients]];
    }),
  );
}

type Row<Own> = LineDay<Own> & { place: number };

/** Followers and blocks at the end of each day asked for, in the order asked. */
export async function readFollowerDays(
  sql: Queryable,
  asked: readonly AskedDay[],
): Promise<LineDay<OwnFollowers>[]> {
  const bases = await selectBases(sql, asked);
  const own = bases.filter(({ day, baseDay }) => baseDay !== day);
  const read = [...Map.groupBy(own, ({ botId }) => botId)].map(
    async ([botId, ofBot]) => [botId, await sumChanges(sql, botId, ofBot)] as const,
  );
  const sums = new Map(await Promise.all(read));
  const rows = bases.map(({ place, botId, existed, day, baseDay, value }) => {
    if (baseDay === day) return { place, existed, snapshot: value, own: noChange };
    const until = (end: string | null) => (end === null ? undefined : sums.get(botId)?.get(end)) ?? noChange;
    const figure = (name: 'followers' | 'blocks') =>
      Number(value?.[name] ?? 0) + until(day)[name] - until(baseDay)[name];
    const own = { followers: figure('followers'), blocks: Math.max(0, figure('blocks')) };
    return { place, existed, snapshot: null, own };
  });
  return inOrder(asked, rows);
}

/** What was sent on each day asked for, in the order asked. */
export async function readDeliveryDays(
  sql: Queryable,
  asked: readonly AskedDay[],
): Promise<LineDay<OwnSends>[]> {
  const rows = await sql<Row<OwnSends>[]>`
    select asked.place, ${existed(sql)} as existed, told.value as snapshot, coalesce(sent.own, '{}') as own
    from ${channelsAsked(sql, asked)}
    left join snapshots told on told.bot_id = channels.bot_id and told.kind = 'delivery'
      and told.day = asked.day and told.status = 'ready'
    cross join lateral (
      select json_object_agg(kind, case when unknown_sends = 0 then recipients end) as own from line_send_days
      where line_send_days.bot_id = channels.bot_id and line_send_days.day = asked.day
    ) sent`;
  return inOrder(asked, rows);
}

type Base = {
  place: number;
  botId: string;
  existed: boolean;
  day: string;
  /** Of the latest ready snapshot up to that day, and its answer; null: there is none. */
  baseDay: string | null;
  value: LineAnswer | null;
};
const noChange: OwnFollowers = { followers: 0, blocks: 0 };

async function selectBases(sql: Queryable, asked: readonly AskedDay[]): Promise<Base[]> {
  return sql<Base[]>`
    select asked.place, channels.bot_id as "botId", ${existed(sql)} as existed,
      to_char(asked.day, 'YYYY-MM-DD') as day, to_char(base.day, 'YYYY-MM-DD') as "baseDay", base.value
    from ${channelsAsked(sql, asked)}
    left join lateral (
      select day, value from snapshots
      where snapshots.bot_id = channels.bot_id and kind = 'followers' and status = 'ready'
        and snapshots.day <= asked.day
      order by snapshots.day desc limit 1
    ) base on true`;
}

/**
 * A bot's changes up to the end of each of the days and base days, counted from the earliest base day, or from the beginning
 * where a day has no base. One pass over the days for all of them.
 */
async function sumChanges(
  sql: Queryable,
  botId: string,
  bases: readonly Base[],
): Promise<Map<string, OwnFollowers>> {
  const ends = [...new Set(bases.flatMap(({ day, baseDay }) => [day, baseDay ?? day]))].sort();
  const after = bases.every(({ baseDay }) => baseDay !== null) ? (ends[0] ?? null) : '-infinity';
  // Step i: after the end of i of the days.
  const rows = await sql<({ step: number } & OwnFollowers)[]>`
    select width_bucket(day - 1, ${ends}::date[]) as step,
      sum(${followersChange(sql, botId)}::float8) as followers, sum(${blocksChange(sql, botId)}::float8) as blocks
    from days
    where bot_id = ${botId} and platform = 'line' and zone = ${lineZone}
      and day > ${after}::text::date and day <= ${ends.at(-1) ?? null}
    group by step`;
  const steps = new Map(rows.map((row) => [row.step, row]));
  const sums = new Map<string, OwnFollowers>();
  let sum = noChange;
  for (const [step, end] of ends.entries()) {
    const change = steps.get(step) ?? noChange;
    sum = { followers: sum.followers + change.followers, blocks: sum.blocks + change.blocks };
    sums.set(end, sum);
  }
  return sums;
}

function channelsAsked(sql: Queryable, asked: readonly AskedDay[]) {
  return sql`
    unnest(${asked.map(({ botId }) => botId)}::text[], ${asked.map(({ day }) => day)}::date[])
      with ordinality as asked (bot_id, day, place)
    join channels on channels.bot_id = asked.bot_id and channels.platform = 'line'`;
}

// Days also hold messages that LINE's snapshots tell of, and those may lie long before the channel.
function existed(sql: Queryable) {
  return sql`((channels.created_at at time zone ${lineZone})::date <= asked.day or exists (
    select from snapshots reported
    where reported.bot_id = channels.bot_id and reported.kind in ('followers', 'delivery') and reported.status = 'ready'
      and reported.day <= asked.day) or exists (
    select from days
    where days.bot_id = channels.bot_id and platform = 'line' and zone = ${lineZone} and days.day <= asked.day
      and (followers <> 0 or blocks <> 0 or inbound <> 0)))`;
}

function inOrder<Own>(asked: readonly AskedDay[], rows: readonly Row<Own>[]): LineDay<Own>[] {
  const found = new Map(rows.map(({ place, ...day }) => [place, day]));
  return asked.map(({ botId }, index) => {
    const day = found.get(index + 1);
    if (!day) throw new Error(`bot ${botId} has no LINE channel`);
    return day;
  });
}
