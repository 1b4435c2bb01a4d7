/** The pending list of the inbox: whether deliveries are pending, how many are, splitting bundles, and setting deliveries aside. */
import type { Fragment, Queryable, Sql } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';

/** For queries: true when a row of `deliveries`, with an id within the bounds, is pending. A bundle's ids ascend. */
export function isPending(
  sql: Queryable,
  botId: string,
  { from, to }: { from: number; to: number },
): Fragment {
  return sql`deliveries.delivery_id in (
    select unnest(delivery_ids) from pending_bundles
    where bot_id = ${botId} and delivery_ids[1] <= ${to} and delivery_ids[cardinality(delivery_ids)] >= ${from})`;
}

/** The id of the last pending delivery; 0: none is pending. */
export async function lastPending(sql: Queryable, botId: string): Promise<number> {
  const [row] = await sql<{ deliveryId: number }[]>`
    select coalesce(max(delivery_ids[cardinality(delivery_ids)]), 0) as "deliveryId"
    from pending_bundles where bot_id = ${botId}`;
  return row?.deliveryId ?? 0;
}

/** The number of pending deliveries up to an id, with whole bundles. */
export async function countPending(sql: Queryable, botId: string, upToId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select coalesce(sum(cardinality(delivery_ids)), 0)::float8 as count
    from pending_bundles where bot_id = ${botId} and delivery_ids[1] <= ${upToId}`;
  return row?.count ?? 0;
}

/**
 * Bots with pending deliveries, the one with the oldest first; at most `limit`. The cost depends on their number alone, not on the
 * number of bots.
 */
export async function botsWithPending(sql: Queryable, limit: number): Promise<string[]> {
  const rows = await sql<{ bot_id: string }[]>`
    with recursive oldest as (
      (select bot_id, bundle_id from pending_bundles order by bot_id, bundle_id limit 1)
      union all
      select next.* from oldest cross join lateral (
        select bot_id, bundle_id from pending_bundles
        where pending_bundles.bot_id > oldest.bot_id order by bot_id, bundle_id limit 1
      ) next
    )
    select bot_id from oldest order by bundle_id limit ${limit}`;
  return rows.map((row) => row.bot_id);
}

/** Splits a bundle of several deliveries in two, to find the delivery that cannot be folded. */
export async function splitBundle(sql: Sql, botId: string, bundleId: number): Promise<void> {
  await sql`
    with whole as (
      delete from pending_bundles where bot_id = ${botId} and bundle_id = ${bundleId}
      returning delivery_ids, bytes, is_text, cardinality(delivery_ids) / 2 as middle
    )
    insert into pending_bundles (bot_id, delivery_ids, bytes, is_text)
    select ${botId}, half.ids, whole.bytes / 2, is_text
    from whole cross join lateral (
      values (delivery_ids[:middle]), (delivery_ids[middle + 1:])
    ) as half (ids)
    where cardinality(half.ids) > 0`;
}

/** Sets deliveries aside, each with its reason. Idempotent. */
export async function setAside(
  sql: Queryable,
  refused: readonly { botId: string; deliveryId: number; reason: string }[],
): Promise<void> {
  await sql`
    update deliveries set set_aside_reason = reason
    from ${rowTable(sql, 'refused', refused, {
      bot_id: ['text', ({ botId }) => botId],
      id: ['bigint', ({ deliveryId }) => deliveryId],
      reason: ['text', ({ reason }) => reason],
    })}
    where deliveries.bot_id = refused.bot_id and delivery_id = refused.id`;
}

/** Sets every delivery of a pending bundle aside for one reason. Returns their ids; none when the bundle is not pending. */
export async function setBundleAside(
  sql: Sql,
  botId: string,
  bundleId: number,
  reason: string,
): Promise<number[]> {
  const rows = await sql<{ deliveryId: number }[]>`
    with bundle as (
      delete from pending_bundles where bot_id = ${botId} and bundle_id = ${bundleId} returning delivery_ids
    )
    update deliveries set set_aside_reason = ${reason}
    from bundle where bot_id = ${botId} and delivery_id = any (delivery_ids) returning delivery_id as "deliveryId"`;
  return rows.map(({ deliveryId }) => deliveryId);
}
