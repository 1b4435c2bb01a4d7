/**
 * The inbox: everything from outside, kept as it came.
 *
 * A delivery is put (with a commit shared by all that wait), claimed by a fold, and finished by the claim's own transaction:
 * a fold that dies gives its claim back by rolling back. What cannot be read stays, set aside with its reason, until it is
 * replayed. Where a delivery stands:
 *
 *     pending      a row in pending_deliveries
 *     folded       none, and no reason
 *     set aside    none, and set_aside_reason says why
 */
import type { Queryable, Sql } from '../database/database.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';

/** Where a delivery came from: a platform's webhook, or LINE's answer to a call of ours. */
export type DeliverySource = 'webhook' | 'line-answer';

/** A verified delivery on its way into the inbox. */
export type NewDelivery = {
  botId: string;
  platform: WebhookPlatformName;
  source: DeliverySource;
  body: Uint8Array;
  receivedAt: number;
};

/** A claimed delivery. `receivedAt` in ms. */
export type Delivery = {
  deliveryId: number;
  platform: WebhookPlatformName;
  source: DeliverySource;
  receivedAt: number;
  body: Uint8Array;
};

/** Stores deliveries in one statement, which is one commit. Not repeatable: each call stores them once more. */
export async function putDeliveries(sql: Queryable, deliveries: readonly NewDelivery[]): Promise<void> {
  const bodies = deliveries.map(({ body }) =>
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('hex'),
  );
  await sql`
    with stored as (
      insert into deliveries (bot_id, platform, source, received_at, body)
      select bot_id, platform, source, to_timestamp(received_ms / 1000::float8), decode(body, 'hex')
      from unnest(${deliveries.map(({ botId }) => botId)}::text[], ${deliveries.map(({ platform }) => platform)}::text[],
        ${deliveries.map(({ source }) => source)}::text[], ${deliveries.map(({ receivedAt }) => receivedAt)}::bigint[],
        ${bodies}::text[]) as new (bot_id, platform, source, received_ms, body)
      returning bot_id, delivery_id, octet_length(body) as bytes
    )
    insert into pending_deliveries (bot_id, delivery_id, bytes) select bot_id, delivery_id, bytes from stored`;
}

/**
 * Takes the bot's oldest pending deliveries, at most `countMax` and (after the first) `bytesMax` together, and marks them
 * finished: that holds when the caller's transaction commits. The caller holds the bot's lock.
 */
export async function claimDeliveries(
  sql: Queryable,
  botId: string,
  { countMax, bytesMax }: { countMax: number; bytesMax: number },
): Promise<Delivery[]> {
  const rows = await sql<
    {
      delivery_id: number;
      platform: WebhookPlatformName;
      source: DeliverySource;
      received_at: Date;
      body: Uint8Array;
    }[]
  >`
    with oldest as (
      select delivery_id, bytes from pending_deliveries where bot_id = ${botId} order by delivery_id limit ${countMax}
    ), claimed as (
      delete from pending_deliveries
      where bot_id = ${botId} and delivery_id = any (array(
        select delivery_id
        from (select delivery_id, bytes, sum(bytes) over (order by delivery_id) as bytes_so_far from oldest) sized
        where bytes_so_far - bytes < ${bytesMax}))
      returning delivery_id
    )
    select claimed.delivery_id, platform, source, received_at, body
    from claimed
    -- The limit keeps the look-up by key one, whatever the planner thinks of a bot's share of the table.
    cross join lateral (
      select platform, source, received_at, body from deliveries
      where deliveries.bot_id = ${botId} and deliveries.delivery_id = claimed.delivery_id limit 1
    ) delivery
    order by claimed.delivery_id`;
  return rows.map((row) => ({
    deliveryId: row.delivery_id,
    platform: row.platform,
    source: row.source,
    receivedAt: row.received_at.getTime(),
    body: row.body,
  }));
}

/** Sets deliveries aside, each with its reason. Safe to repeat. */
export async function setAside(
  sql: Queryable,
  botId: string,
  refused: readonly { deliveryId: number; reason: string }[],
): Promise<void> {
  await sql`
    update deliveries set set_aside_reason = reason
    from unnest(${refused.map(({ deliveryId }) => deliveryId)}::bigint[], ${refused.map(({ reason }) => reason)}::text[])
      as refused (id, reason)
    where bot_id = ${botId} and delivery_id = refused.id`;
}

/** Bots that have pending deliveries, the one that has waited longest first; at most `limit`. */
export async function botsWithPending(sql: Queryable, limit: number): Promise<string[]> {
  const rows = await sql<{ bot_id: string }[]>`
    select bots.bot_id from bots
    cross join lateral (
      select delivery_id from pending_deliveries p where p.bot_id = bots.bot_id order by delivery_id limit 1
    ) oldest
    order by oldest.delivery_id limit ${limit}`;
  return rows.map((row) => row.bot_id);
}

export type DeliveryState = 'pending' | 'folded' | 'set-aside';
export type ListedDelivery = {
  deliveryId: number;
  platform: string;
  receivedAt: Date;
  bytes: number;
  state: DeliveryState;
  reason: string | null;
};

/** The bot's deliveries, newest first, below `beforeId` when given: for paging. `state` null means any. */
export async function listDeliveries(
  sql: Queryable,
  botId: string,
  { state, limit, beforeId }: { state: DeliveryState | null; limit: number; beforeId: number | null },
): Promise<ListedDelivery[]> {
  const rows = await sql<(Omit<ListedDelivery, 'state'> & { pending: boolean })[]>`
    select d.delivery_id as "deliveryId", d.platform, d.received_at as "receivedAt", octet_length(d.body) as bytes,
      d.set_aside_reason as reason, p.delivery_id is not null as pending
    from deliveries d
    left join pending_deliveries p on p.bot_id = d.bot_id and p.delivery_id = d.delivery_id
    where d.bot_id = ${botId}
      ${beforeId === null ? sql`` : sql`and d.delivery_id < ${beforeId}`}
      ${state === 'pending' ? sql`and p.delivery_id is not null` : sql``}
      ${state === 'folded' ? sql`and p.delivery_id is null and d.set_aside_reason is null` : sql``}
      ${state === 'set-aside' ? sql`and p.delivery_id is null and d.set_aside_reason is not null` : sql``}
    order by d.delivery_id desc limit ${limit}`;
  return rows.map(({ pending, ...row }) => ({
    ...row,
    state: pending ? 'pending' : row.reason === null ? 'folded' : 'set-aside',
  }));
}

/** One delivery with its body as it came; null when there is none of that number. */
export async function findDelivery(
  sql: Queryable,
  botId: string,
  deliveryId: number,
): Promise<{ platform: string; receivedAt: Date; reason: string | null; body: Uint8Array } | null> {
  const [row] = await sql<{ platform: string; receivedAt: Date; reason: string | null; body: Uint8Array }[]>`
    select platform, received_at as "receivedAt", set_aside_reason as reason, body
    from deliveries where bot_id = ${botId} and delivery_id = ${deliveryId}`;
  return row ?? null;
}

/**
 * Puts deliveries back among the pending ones: the named ones, or all that are set aside when `deliveryIds` is null. Safe
 * to repeat: events that are known are dropped. Gives how many were put back.
 */
export async function replayDeliveries(
  sql: Sql,
  botId: string,
  deliveryIds: readonly number[] | null,
): Promise<number> {
  const rows = await sql`
    with again as (
      update deliveries set set_aside_reason = null
      where bot_id = ${botId}
        and ${deliveryIds === null ? sql`set_aside_reason is not null` : sql`delivery_id = any(${deliveryIds as number[]}::bigint[])`}
      returning bot_id, delivery_id, octet_length(body) as bytes
    )
    insert into pending_deliveries (bot_id, delivery_id, bytes) select bot_id, delivery_id, bytes from again
    on conflict (bot_id, delivery_id) do nothing returning delivery_id`;
  return rows.length;
}

const purgeBatch = 5_000;

/**
 * Deletes a bot's folded deliveries that are older than `retentionDays`; those pending or set aside stay. Works oldest first
 * in batches; gives how many it deleted, `purgeBatch` at most: call again while it gives that many.
 */
export async function purgeDeliveries(
  sql: Queryable,
  botId: string,
  { now, retentionDays }: { now: number; retentionDays: number },
): Promise<{ deleted: number; more: boolean }> {
  const rows = await sql`
    delete from deliveries d
    where d.bot_id = ${botId} and d.delivery_id in (
        select delivery_id from deliveries
        where bot_id = ${botId} and set_aside_reason is null order by delivery_id limit ${purgeBatch})
      and d.received_at < ${new Date(now - retentionDays * dayMs)}
      and not exists (
        select from pending_deliveries p where p.bot_id = d.bot_id and p.delivery_id = d.delivery_id)
    returning d.delivery_id`;
  return { deleted: rows.length, more: rows.length === purgeBatch };
}
