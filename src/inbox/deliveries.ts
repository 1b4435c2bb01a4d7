/** Lists deliveries, shows their raw bodies, replays them, and deletes old ones. */
import type { Fragment, Queryable } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs, minuteMs, secondMs } from '../time.ts';
import { purgePeople } from './delivery-people.ts';
import { isPending } from './pending.ts';

export type DeliveryState = 'pending' | 'folded' | 'set-aside';
export type ListedDelivery = {
  deliveryId: number;
  platform: string;
  receivedAt: Date;
  bytes: number;
  state: DeliveryState;
  reason: string | null;
};

/** The bot's deliveries with ids below `beforeId`, newest first, page by page. `state` null means any. */
export async function listDeliveries(
  sql: Queryable,
  botId: string,
  { state, limit, beforeId }: { state: DeliveryState | null; limit: number; beforeId: number | null },
): Promise<ListedDelivery[]> {
  const rows = await sql<ListedRow[]>`
    select ${listedColumns(sql)}, p.delivery_id is not null as pending
    from deliveries ${withPending(sql, botId)}
    where deliveries.bot_id = ${botId}
      ${beforeId === null ? sql`` : sql`and deliveries.delivery_id < ${beforeId}`}
      ${state === 'pending' ? sql`and p.delivery_id is not null` : sql``}
      ${state === 'folded' ? sql`and p.delivery_id is null and deliveries.set_aside_reason is null` : sql``}
      ${state === 'set-aside' ? sql`and p.delivery_id is null and deliveries.set_aside_reason is not null` : sql``}
    order by deliveries.delivery_id desc limit ${limit}`;
  return rows.map(withState);
}

/** One delivery with its raw body, or null. */
export async function findDelivery(
  sql: Queryable,
  botId: string,
  deliveryId: number,
): Promise<(ListedDelivery & { body: Uint8Array }) | null> {
  const [row] = await sql<(ListedRow & { body: Uint8Array })[]>`
    select ${listedColumns(sql)}, p.delivery_id is not null as pending, deliveries.body
    from deliveries ${withPending(sql, botId)}
    where deliveries.bot_id = ${botId} and deliveries.delivery_id = ${deliveryId}`;
  return row ? withState(row) : null;
}

/** The deliveries of a bot that need attention. */
export type InboxState = {
  /** Deliveries that are pending. */
  waiting: number;
  /** When the oldest pending delivery was received; null: none is pending. */
  oldestAt: Date | null;
  setAside: number;
};

/** The pending deliveries of the bot, and the number of those set aside. */
export async function readInboxState(sql: Queryable, botId: string): Promise<InboxState> {
  const [row] = await sql<InboxState[]>`
    select
      (select coalesce(sum(cardinality(delivery_ids)), 0) from pending_bundles where bot_id = ${botId})::float8 as waiting,
      (select min(received_at) from deliveries where bot_id = ${botId} and delivery_id = any (array(
        select unnest(delivery_ids) from (
          select delivery_ids from pending_bundles where bot_id = ${botId} order by bundle_id limit 1
        ) first))) as "oldestAt",
      (select count(*) from deliveries where bot_id = ${botId} and set_aside_reason is not null)::float8 as "setAside"`;
  return row ?? { waiting: 0, oldestAt: null, setAside: 0 };
}

const rateMs = 5 * minuteMs;
const rateCountMax = 1_000;

/**
 * Webhooks per minute by platform, to one decimal: of the last five minutes, or of the time of the last 1,000 deliveries if that is
 * shorter. Platforms without a webhook in this time are omitted.
 */
export async function readRates(
  sql: Queryable,
  botId: string,
  { now }: { now: number },
): Promise<Map<PlatformName, number>> {
  const rows = await sql<{ platform: PlatformName; count: number; firstAt: Date; all: number }[]>`
    with latest as (
      select platform, source, received_at from (
        select platform, source, received_at from deliveries where bot_id = ${botId}
        order by delivery_id desc limit ${rateCountMax}
      ) newest
      where received_at > ${new Date(now - rateMs)}
    )
    select platform, count(*)::float8 as count, (select min(received_at) from latest) as "firstAt",
      (select count(*) from latest)::float8 as all
    from latest where source = 'webhook' group by platform`;
  return new Map(
    rows.map(({ platform, count, firstAt, all }) => {
      const ms = all < rateCountMax ? rateMs : Math.max(secondMs, now - firstAt.getTime());
      return [platform, Math.round((10 * count * minuteMs) / ms) / 10];
    }),
  );
}

/** The day (YYYY-MM-DD in the zone) of the platform's oldest delivery that is set aside; null: none is. */
export async function firstSetAsideDay(
  sql: Queryable,
  botId: string,
  { platform, zone }: { platform: PlatformName; zone: string },
): Promise<string | null> {
  const [row] = await sql<{ day: string | null }[]>`
    select to_char(min(received_at) at time zone ${zone}, 'YYYY-MM-DD') as day from deliveries
    where bot_id = ${botId} and platform = ${platform} and set_aside_reason is not null`;
  return row?.day ?? null;
}

type ListedRow = Omit<ListedDelivery, 'state'> & { pending: boolean };

/** For queries on `deliveries`. */
export function listedColumns(sql: Queryable) {
  return sql`deliveries.delivery_id as "deliveryId", deliveries.platform, deliveries.received_at as "receivedAt",
    octet_length(deliveries.body) as bytes, deliveries.set_aside_reason as reason`;
}

function withPending(sql: Queryable, botId: string) {
  return sql`left join (${pendingIds(sql, botId)}) p on p.delivery_id = deliveries.delivery_id`;
}

export function withState<Row extends ListedRow>({ pending, ...row }: Row) {
  const state: DeliveryState = pending ? 'pending' : row.reason === null ? 'folded' : 'set-aside';
  return { ...row, state };
}

/** Deliveries of a bundle are read as one range of ids, which must not be long. */
const replayRange = 1_000;

/** Makes the deliveries pending again, and returns their number. Idempotent: stored events are dropped. */
export async function replayDeliveries(
  sql: Queryable,
  botId: string,
  deliveryIds: readonly number[],
): Promise<number> {
  if (deliveryIds.length === 0) return 0;
  const bounds = { from: Math.min(...deliveryIds), to: Math.max(...deliveryIds) };
  const rows = await sql<{ count: number }[]>`
    with replayed as (
      update deliveries set set_aside_reason = null
      where bot_id = ${botId} and delivery_id = any(${numberList(deliveryIds)}::bigint[])
        and not ${isPending(sql, botId, bounds)}
      returning delivery_id, octet_length(body) as bytes, delivery_id / ${replayRange}::bigint as range
    )
    insert into pending_bundles (bot_id, delivery_ids, bytes)
    select ${botId}, array_agg(delivery_id order by delivery_id), sum(bytes) from replayed
    group by range order by range
    returning cardinality(delivery_ids) as count`;
  return rows.reduce((sum, { count }) => sum + count, 0);
}

/** The ids of deliveries set aside, above `afterId` and up to `upToId`, in order; at most `limit`. */
export async function setAsideIds(
  sql: Queryable,
  botId: string,
  { afterId, upToId, limit }: { afterId: number; upToId: number; limit: number },
): Promise<number[]> {
  const rows = await sql<{ deliveryId: number }[]>`
    select delivery_id as "deliveryId" from deliveries
    where bot_id = ${botId} and set_aside_reason is not null and delivery_id > ${afterId} and delivery_id <= ${upToId}
    order by delivery_id limit ${limit}`;
  return rows.map(({ deliveryId }) => deliveryId);
}

/** The number of deliveries set aside, and the id of the last one. */
export async function countSetAside(
  sql: Queryable,
  botId: string,
): Promise<{ count: number; lastId: number }> {
  const [row] = await sql<{ count: number; lastId: number }[]>`
    select count(*)::float8 as count, coalesce(max(delivery_id), 0) as "lastId" from deliveries
    where bot_id = ${botId} and set_aside_reason is not null`;
  return row ?? { count: 0, lastId: 0 };
}

const purgeBatch = 5_000;

/**
 * Deletes a bot's folded deliveries older than `retentionDays`; pending ones and those set aside stay. One call deletes a batch of the
 * oldest; `more`: call again.
 */
export async function purgeDeliveries(
  sql: Queryable,
  botId: string,
  { now, retentionDays }: { now: number; retentionDays: number },
): Promise<{ deleted: number; more: boolean }> {
  const rows = await sql<{ deliveryId: number }[]>`
    delete from deliveries d
    where d.bot_id = ${botId} and d.delivery_id in (
        select delivery_id from deliveries
        where bot_id = ${botId} and set_aside_reason is null order by delivery_id limit ${purgeBatch})
      and d.received_at < ${new Date(now - retentionDays * dayMs)}
      and d.delivery_id not in (${pendingIds(sql, botId)})
    returning d.delivery_id as "deliveryId"`;
  const last = rows.reduce((largest, { deliveryId }) => Math.max(largest, deliveryId), 0);
  await purgePeople(sql, botId, last);
  return { deleted: rows.length, more: rows.length === purgeBatch };
}

/** For queries: true if `purgeDeliveries` may delete deliveries of the bot. */
export function hasOldDeliveries(
  sql: Queryable,
  bot: Fragment,
  { now, retentionDays }: { now: number; retentionDays: number },
): Fragment {
  return sql`(
    select received_at from deliveries
    where deliveries.bot_id = ${bot} and set_aside_reason is null order by delivery_id limit 1
  ) < ${new Date(now - retentionDays * dayMs)}`;
}

function pendingIds(sql: Queryable, botId: string) {
  return sql`select distinct unnest(delivery_ids) as delivery_id from pending_bundles where bot_id = ${botId}`;
}
