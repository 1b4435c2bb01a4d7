/**
 * The inbox: everything from outside, kept as it came.
 *
 * Deliveries are put (with a commit shared by all that wait), read, claimed by a fold, and finished by the claim's own
 * transaction: a fold that dies gives its claim back by rolling back. What waits is listed by bundles: the deliveries of one
 * bot that came with one commit. Where a delivery stands:
 *
 *     pending      in a row of pending_bundles
 *     folded       in none, and no reason
 *     set aside    in none, and set_aside_reason says why
 */
import { isUtf8 } from 'node:buffer';
import type { Queryable, Sql } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** Where a delivery came from: a platform's webhook, LINE's answer to a call of ours, our gateway for LINE, or our live chat. */
export type DeliverySource = 'webhook' | 'line-answer' | 'line-send' | 'live-chat';

/** A verified delivery on its way into the inbox. */
export type NewDelivery = {
  botId: string;
  platform: PlatformName;
  source: DeliverySource;
  body: Uint8Array;
  receivedAt: number;
};

/** A pending delivery. `receivedAt` in ms. */
export type Delivery = {
  deliveryId: number;
  platform: PlatformName;
  source: DeliverySource;
  receivedAt: number;
  body: Uint8Array;
};

/** Pending deliveries of one bot that are claimed together. */
export type Bundle = { bundleId: number; deliveries: Delivery[] };

/** Stores deliveries in one statement, which is one commit. Not repeatable: each call stores them once more. */
export async function putDeliveries(sql: Queryable, deliveries: readonly NewDelivery[]): Promise<void> {
  // Each by itself: bodies that are no text may be text one behind the other.
  const isText = deliveries.every(({ body }) => isUtf8(body) && !body.includes(0));
  const starts = firstBytes(deliveries);
  await sql`
    with told as materialized (select ${bytesOf(sql, deliveries, { isText })} as bodies),
    stored as (
      insert into deliveries (bot_id, platform, source, received_at, body)
      select bot_id, platform, source, received_at, substring(bodies from first for bytes)
      from told, ${rowTable(sql, 'new', deliveries, {
        bot_id: ['text', ({ botId }) => botId],
        platform: ['text', ({ platform }) => platform],
        source: ['text', ({ source }) => source],
        received_at: ['timestamptz', ({ receivedAt }) => receivedAt],
        first: ['integer', (_, index) => starts[index] ?? 0],
        bytes: ['integer', ({ body }) => body.byteLength],
      })}
      returning bot_id, delivery_id, octet_length(body) as bytes
    )
    insert into pending_bundles (bot_id, delivery_ids, bytes, is_text)
    select bot_id, array_agg(delivery_id order by delivery_id), sum(bytes), ${isText} from stored group by bot_id`;
}

/** For the query: the bodies, one behind the other. As text they take half of what they take in hexadecimal digits. */
function bytesOf(sql: Queryable, deliveries: readonly NewDelivery[], { isText }: { isText: boolean }) {
  const bodies = Buffer.concat(deliveries.map(({ body }) => body));
  return isText
    ? sql`convert_to(${bodies.toString()}::text, 'UTF8')`
    : sql`decode(${bodies.toString('hex')}::text, 'hex')`;
}

/** Where each body begins among all of them, counted from 1. */
function firstBytes(deliveries: readonly NewDelivery[]): number[] {
  let next = 1;
  return deliveries.map(({ body }) => {
    const first = next;
    next += body.byteLength;
    return first;
  });
}

/**
 * The bot's oldest pending bundles but those of `except`: as many as hold at most `countMax` deliveries and (before the last
 * one) `bytesMax` bytes together, but at least one. `more`: others are waiting. Changes nothing: whoever folds bundles claims
 * them first.
 */
export async function readPending(
  sql: Queryable,
  botId: string,
  { countMax, bytesMax, except }: { countMax: number; bytesMax: number; except: readonly number[] },
): Promise<{ bundles: Bundle[]; more: boolean }> {
  // One row for each bundle, its bodies one behind the other: a row for each delivery would cost more than the bodies do.
  const rows = await sql`
    with oldest as (
      select bundle_id, delivery_ids, is_text,
        row_number() over bundles = 1 or (sum(cardinality(delivery_ids)) over bundles <= ${countMax}::integer
          and sum(bytes) over bundles - bytes < ${bytesMax}::bigint) as fits
      from (
        select * from pending_bundles
        where bot_id = ${botId} and bundle_id <> all (${numberList(except)}::bigint[])
        order by bundle_id limit ${countMax}::integer + 1
      ) pending
      window bundles as (order by bundle_id)
    )
    select bundle_id, (select not every(fits) from oldest) as more, is_text, told.*
    from oldest cross join lateral (
      select string_agg(delivery_id::text, ',') as delivery_ids, string_agg(platform, ',') as platforms,
        string_agg(source, ',') as sources, string_agg(received_ms::text, ',') as received,
        string_agg(octet_length(body)::text, ',') as lengths,
        case when is_text then convert_from(string_agg(body, ''), 'UTF8')
          else encode(string_agg(body, ''), 'hex') end as bodies
      from (
        select delivery_id, platform, source, (1000 * date_part('epoch', received_at))::bigint as received_ms, body
        from deliveries
        -- A bundle's ids ascend, and few others lie between them: reading the stretch costs a tenth of looking each one up.
        where deliveries.bot_id = ${botId}
          and delivery_id >= delivery_ids[1] and delivery_id <= delivery_ids[cardinality(delivery_ids)]
          and delivery_id = any (delivery_ids)
        order by delivery_id
      ) delivery
    ) told
    where fits
    order by bundle_id`.raw();
  return {
    bundles: rows.map((row) => toBundle(row as BundleRow)),
    more: rows[0]?.[1]?.toString() === 't',
  };
}

/** As the database sends it. A delivery that was deleted while it waited leaves its bundle without it; all of them, with nulls. */
type BundleRow = [bundleId: Buffer, more: Buffer, isText: Buffer, ...delivered: (Buffer | null)[]];

function toBundle([bundleId, , isText, ...delivered]: BundleRow): Bundle {
  const sent = delivered.pop() ?? Buffer.alloc(0);
  const bodies = `${isText}` === 't' ? sent : Buffer.from(`${sent}`, 'hex');
  const [ids = [], platforms = [], sources = [], received = [], lengths = []] = delivered.map(
    (column) => column?.toString().split(',') ?? [],
  );
  let end = 0;
  const deliveries = ids.map((id, index): Delivery => {
    const start = end;
    end += Number(lengths[index]);
    return {
      deliveryId: Number(id),
      platform: platforms[index] as PlatformName,
      source: sources[index] as DeliverySource,
      receivedAt: Number(received[index]),
      body: bodies.subarray(start, end),
    };
  });
  return { bundleId: Number(bundleId), deliveries };
}

/** For queries: true when a row of deliveries, with a number within the bounds, is pending. A bundle's ids ascend. */
export function isPending(sql: Queryable, botId: string, { from, to }: { from: number; to: number }) {
  return sql`deliveries.delivery_id in (
    select unnest(delivery_ids) from pending_bundles
    where bot_id = ${botId} and delivery_ids[1] <= ${to} and delivery_ids[cardinality(delivery_ids)] >= ${from})`;
}

/** The last delivery that is pending now; 0: none is. */
export async function lastPending(sql: Queryable, botId: string): Promise<number> {
  const [row] = await sql<{ deliveryId: number }[]>`
    select coalesce(max(delivery_ids[cardinality(delivery_ids)]), 0) as "deliveryId"
    from pending_bundles where bot_id = ${botId}`;
  return row?.deliveryId ?? 0;
}

/** How many deliveries up to a number are still pending, roughly. */
export async function countPending(sql: Queryable, botId: string, upToId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select coalesce(sum(cardinality(delivery_ids)), 0)::float8 as count
    from pending_bundles where bot_id = ${botId} and delivery_ids[1] <= ${upToId}`;
  return row?.count ?? 0;
}

/** Makes two bundles of one that holds several deliveries, so that what is wrong with one of them can be found. */
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

/** Sets deliveries aside, each with its reason. Safe to repeat. */
export async function setAside(
  sql: Queryable,
  botId: string,
  refused: readonly { deliveryId: number; reason: string }[],
): Promise<void> {
  await sql`
    update deliveries set set_aside_reason = reason
    from ${rowTable(sql, 'refused', refused, {
      id: ['bigint', ({ deliveryId }) => deliveryId],
      reason: ['text', ({ reason }) => reason],
    })}
    where bot_id = ${botId} and delivery_id = refused.id`;
}

/** Sets every delivery of a pending bundle aside for one reason. Gives their numbers; none when the bundle is gone. */
export async function setBundleAside(
  sql: Sql,
  botId: string,
  bundleId: number,
  reason: string,
): Promise<number[]> {
  const rows = await sql<{ delivery_id: number }[]>`
    with bundle as (
      delete from pending_bundles where bot_id = ${botId} and bundle_id = ${bundleId} returning delivery_ids
    )
    update deliveries set set_aside_reason = ${reason}
    from bundle where bot_id = ${botId} and delivery_id = any (delivery_ids) returning delivery_id`;
  return rows.map((row) => row.delivery_id);
}

/** Bots that have pending deliveries, the one that has waited longest first; at most `limit`. */
export async function botsWithPending(sql: Queryable, limit: number): Promise<string[]> {
  const rows = await sql<{ bot_id: string }[]>`
    select bots.bot_id from bots
    cross join lateral (
      select bundle_id from pending_bundles p where p.bot_id = bots.bot_id order by bundle_id limit 1
    ) oldest
    order by oldest.bundle_id limit ${limit}`;
  return rows.map((row) => row.bot_id);
}
