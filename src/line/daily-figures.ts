/**
 * Followers and deliveries of a LINE channel on a day in UTC+9 (figures.md, section 8), read for many callers in one query.
 *
 * The sources are LINE's snapshots, our events and our gateway's sends. Our follower figure of a day is the latest ready snapshot
 * before it plus the changes of our events since. Without such a snapshot it counts all our events up to the end of the day.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { botOf, rowTable } from '../database/row-table.ts';
import { blocksChange, followersChange } from '../rollups/follower-changes.ts';
import { lineZone } from '../time.ts';
import type { LineAnswer } from './answers.ts';

/** `day` in UTC+9, YYYY-MM-DD; the bot must have a LINE channel. */
export type DayRequest = { botId: string; day: string };

export type LineDay<Own> = {
  /** LINE's ready answer for the day; null: none is stored. */
  snapshot: LineAnswer | null;
  /** The channel was connected by then, or an event or a ready snapshot proves that it existed. */
  existed: boolean;
  own: Own;
};
export type OwnFollowers = { followers: number; blocks: number };
/** Recipients by kind of send; null: there were sends with an unknown number of recipients. */
export type OwnSends = Partial<Record<SendKind, number | null>>;
/** `pnp`: a push to a telephone number (LINE notification message). */
export const sendKinds = ['push', 'multicast', 'broadcast', 'narrowcast', 'reply', 'pnp'] as const;
export type SendKind = (typeof sendKinds)[number];

/** LINE's names of sends through the API. */
const sendNames: readonly (readonly [SendKind, string])[] = [
  ['broadcast', 'apiBroadcast'],
  ['push', 'apiPush'],
  ['multicast', 'apiMulticast'],
  ['narrowcast', 'apiNarrowcast'],
  ['reply', 'apiReply'],
  ['pnp', 'pnpNoticeMessage'],
];

/** Returns the sends by LINE's names; omits kinds without sends. */
export function toLineNames(own: OwnSends): Record<string, number | null> {
  return Object.fromEntries(
    sendNames.flatMap(([kind, name]) => (own[kind] === undefined ? [] : [[name, own[kind]]])),
  );
}

/** Returns followers and blocks at the end of each requested day, in the order of the requests. */
export async function readFollowerDays(
  sql: Queryable,
  requests: readonly DayRequest[],
): Promise<LineDay<OwnFollowers>[]> {
  const bases = await byBot(requests, (ofBot) => selectBases(sql, ofBot));
  const unreported = bases.filter(({ day, baseDay }) => baseDay !== day);
  const sumsByBot = [...Map.groupBy(unreported, ({ botId }) => botId)].map(
    async ([botId, ofBot]) => [botId, await sumChanges(sql, botId, ofBot)] as const,
  );
  const sums = new Map(await Promise.all(sumsByBot));
  return bases.map(({ botId, existed, day, baseDay, value }) => {
    if (baseDay === day) return { existed, snapshot: value, own: noChange };
    const until = (end: string | null) => (end === null ? undefined : sums.get(botId)?.get(end)) ?? noChange;
    const figure = (name: 'followers' | 'blocks') =>
      Number(value?.[name] ?? 0) + until(day)[name] - until(baseDay)[name];
    const own = { followers: figure('followers'), blocks: Math.max(0, figure('blocks')) };
    return { existed, snapshot: null, own };
  });
}

/** Returns the sends of each requested day, in the order of the requests. */
export async function readDeliveryDays(
  sql: Queryable,
  requests: readonly DayRequest[],
): Promise<LineDay<OwnSends>[]> {
  return byBot(requests, (ofBot) => selectDeliveryDays(sql, ofBot));
}

async function selectDeliveryDays(
  sql: Queryable,
  requests: readonly DayRequest[],
): Promise<LineDay<OwnSends>[]> {
  const bot = botOf(sql, 'channels', requests);
  const rows = await sql<LineDay<OwnSends>[]>`
    select ${existed(sql, bot)} as existed, reported.value as snapshot, coalesce(sent.own, '{}') as own
    from ${requestedChannels(sql, requests)}
    left join snapshots reported on reported.bot_id = ${bot} and reported.kind = 'delivery'
      and reported.day = requested.day and reported.status = 'ready'
    cross join lateral (
      select json_object_agg(kind, case when unknown_sends = 0 then recipients end) as own from line_send_days
      where line_send_days.bot_id = ${bot} and line_send_days.day = requested.day
    ) sent
    order by requested.place`;
  return allOf(requests, rows);
}

type Base = {
  botId: string;
  existed: boolean;
  day: string;
  /** The day of the latest ready snapshot up to that day, and its answer; null: none. */
  baseDay: string | null;
  value: LineAnswer | null;
};
const noChange: OwnFollowers = { followers: 0, blocks: 0 };

/** One statement for each bot. Returns the rows in the order of the requests. */
async function byBot<Row>(
  requests: readonly DayRequest[],
  select: (ofBot: readonly DayRequest[]) => Promise<Row[]>,
): Promise<Row[]> {
  const rows = new Map<DayRequest, Row>();
  await Promise.all(
    [...Map.groupBy(requests, ({ botId }) => botId).values()].map(async (ofBot) => {
      for (const [index, row] of (await select(ofBot)).entries()) rows.set(ofBot[index] as DayRequest, row);
    }),
  );
  return requests.map((request) => rows.get(request) as Row);
}

async function selectBases(sql: Queryable, requests: readonly DayRequest[]): Promise<Base[]> {
  const bot = botOf(sql, 'channels', requests);
  const rows = await sql<Base[]>`
    select channels.bot_id as "botId", ${existed(sql, bot)} as existed,
      to_char(requested.day, 'YYYY-MM-DD') as day, to_char(base.day, 'YYYY-MM-DD') as "baseDay", base.value
    from ${requestedChannels(sql, requests)}
    left join lateral (
      select day, value from snapshots
      where snapshots.bot_id = ${bot} and kind = 'followers' and status = 'ready'
        and snapshots.day <= requested.day
      order by snapshots.day desc limit 1
    ) base on true
    order by requested.place`;
  return allOf(requests, rows);
}

/**
 * Returns a bot's changes up to the end of each day and base day, counted from the earliest base day, or from the beginning if a
 * day has no base. One pass over the stored days.
 */
async function sumChanges(
  sql: Queryable,
  botId: string,
  bases: readonly Base[],
): Promise<Map<string, OwnFollowers>> {
  const ends = [...new Set(bases.flatMap(({ day, baseDay }) => [day, baseDay ?? day]))].sort();
  const after = bases.every(({ baseDay }) => baseDay !== null) ? (ends[0] ?? null) : '-infinity';
  // Step i: after the end of the first i days.
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

function requestedChannels(sql: Queryable, requests: readonly DayRequest[]) {
  return sql`
    ${rowTable(sql, 'requested', requests, {
      place: ['integer', (_, index) => index],
      bot_id: ['text', ({ botId }) => botId],
      day: ['date', ({ day }) => day],
    })}
    join channels on channels.bot_id = ${botOf(sql, 'requested', requests)} and channels.platform = 'line'`;
}

// Outbound messages do not count: days also contain the messages of LINE's snapshots, which may be much older than the channel.
function existed(sql: Queryable, bot: Fragment) {
  return sql`((channels.created_at at time zone ${lineZone})::date <= requested.day or exists (
    select from snapshots earlier
    where earlier.bot_id = ${bot} and earlier.kind in ('followers', 'delivery') and earlier.status = 'ready'
      and earlier.day <= requested.day) or exists (
    select from days
    where days.bot_id = ${bot} and platform = 'line' and zone = ${lineZone} and days.day <= requested.day
      and (followers <> 0 or blocks <> 0 or inbound <> 0)))`;
}

/** The rows of the requests. A bot without a LINE channel has no row. */
function allOf<Row>(requests: readonly DayRequest[], rows: Row[]): Row[] {
  if (rows.length === requests.length) return rows;
  throw new Error(`a bot of ${requests.map(({ botId }) => botId).join(', ')} has no LINE channel`);
}
