/**
 * The inbox: everything from outside, stored unchanged.
 *
 * Deliveries are put (many in one commit), read, claimed by a fold, and finished by the fold's transaction: if a fold dies, its claim
 * rolls back. Pending deliveries are listed in bundles: the deliveries of one bot that came with one commit. The state of a delivery:
 *
 *     pending      in a row of pending_bundles
 *     folded       in no row, and without a reason
 *     set aside    in no row, and set_aside_reason says why
 */
import { isUtf8 } from 'node:buffer';
import type { Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** The source of a delivery: a platform's webhook, LINE's answer to the collector, our gateway for LINE, or our live chat. */
export type DeliverySource =
  | 'webhook'
  | 'line-answer'
  | 'line-send'
  | 'live-chat'
  | 'history'
  | 'refused-send';

/** A verified delivery that is not stored yet. */
export type NewDelivery = Omit<Delivery, 'deliveryId'> & { botId: string };

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

/** Stores deliveries in one statement and so in one commit. Not idempotent: each call stores them again. */
export async function putDeliveries(sql: Queryable, deliveries: readonly NewDelivery[]): Promise<void> {
  // Each body is checked alone: bodies that are no UTF-8 may be UTF-8 when joined.
  const isText = deliveries.every(({ body }) => isUtf8(body) && !body.includes(0));
  const starts = firstBytes(deliveries);
  await sql`
    with sent as materialized (select ${bytesOf(sql, deliveries, { isText })} as bodies),
    stored as (
      insert into deliveries (bot_id, platform, source, received_at, body)
      select bot_id, platform, source, received_at, substring(bodies from first for bytes)
      from sent, ${rowTable(sql, 'new', deliveries, {
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

/** For the query: the bodies, joined. As text they take half the bytes of hexadecimal digits. */
function bytesOf(sql: Queryable, deliveries: readonly NewDelivery[], { isText }: { isText: boolean }) {
  const bodies = Buffer.concat(deliveries.map(({ body }) => body));
  return isText
    ? sql`convert_to(${bodies.toString()}::text, 'UTF8')`
    : sql`decode(${bodies.toString('hex')}::text, 'hex')`;
}

/** The position of the first byte of each joined body, counted from 1. */
function firstBytes(deliveries: readonly NewDelivery[]): number[] {
  let next = 1;
  return deliveries.map(({ body }) => {
    const first = next;
    next += body.byteLength;
    return first;
  });
}
