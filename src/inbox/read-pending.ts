/** Reads pending deliveries of many bots, for a fold. */
import type { Queryable } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Bundle, Delivery, DeliverySource } from './inbox.ts';

/**
 * The oldest pending bundles of the bots, by bot, without those in `except`: at least one, and as many as together hold at most
 * `countMax` deliveries and, before the last one, `bytesMax` bytes. The bots share both: the oldest bundle of each comes first.
 * `more`: the bots with further pending bundles. Changes nothing: a fold claims its bundles first.
 */
export async function readPending(
  sql: Queryable,
  botIds: readonly string[],
  { countMax, bytesMax, except }: { countMax: number; bytesMax: number; except: readonly number[] },
): Promise<{ bundles: ReadonlyMap<string, Bundle[]>; more: string[] }> {
  const bundlesMax = Math.ceil(countMax / botIds.length);
  // One row with lists: a row for each bundle would cost more than its bodies do if it has few.
  const [row] = await sql`
    with oldest as materialized (
      select position, bot_id, bundle_id, delivery_ids, is_text, row_number() over turns as number,
        row_number() over turns = 1 or (turn <= ${bundlesMax}::bigint and sum(cardinality(delivery_ids)) over turns <= ${countMax}::integer
          and sum(bytes) over turns - bytes < ${bytesMax}::bigint) as fits
      from ${rowTable(sql, 'bot', botIds, {
        id: ['text', (botId) => botId],
        position: ['integer', (_, index) => index],
      })}
      cross join lateral (
        select *, row_number() over (order by bundle_id) as turn from (
          select * from pending_bundles
          where bot_id = bot.id and bundle_id <> all (${numberList(except)}::bigint[])
          order by bundle_id limit ${bundlesMax}::bigint + 1
        ) first
      ) pending
      window turns as (order by turn, position)
    ), listed as materialized (
      select string_agg(bundle_id::text, ',' order by number) filter (where fits) as bundle_ids,
        string_agg(position::text, ',' order by number) filter (where fits) as positions,
        string_agg(position::text, ',') filter (where not fits) as more,
        bool_and(is_text) filter (where fits) as are_text
      from oldest
    )
    select listed.*, content.*
    from listed cross join lateral (
      select string_agg(number::text, ',') as numbers, string_agg(delivery_id::text, ',') as delivery_ids,
        string_agg(platform, ',') as platforms, string_agg(source, ',') as sources,
        string_agg(received_ms::text, ',') as received, string_agg(octet_length(body)::text, ',') as lengths,
        case when listed.are_text then convert_from(string_agg(body, ''), 'UTF8')
          else encode(string_agg(body, ''), 'hex') end as bodies
      from oldest cross join lateral (
        select delivery_id, platform, source, (1000 * date_part('epoch', received_at))::bigint as received_ms, body
        from deliveries
        -- A bundle's ids ascend with few others in between: reading the range costs a tenth of looking each one up.
        where deliveries.bot_id = oldest.bot_id
          and delivery_id >= delivery_ids[1] and delivery_id <= delivery_ids[cardinality(delivery_ids)]
          and delivery_id = any (delivery_ids)
        order by delivery_id
      ) delivery
      where fits
    ) content`.raw();
  return toPending(botIds, row as unknown as PendingRow);
}

/** The raw columns: lists, joined with commas, and the joined bodies. Null: an empty list. */
type PendingRow = (Buffer | null)[];

function toPending(
  botIds: readonly string[],
  columns: PendingRow,
): { bundles: ReadonlyMap<string, Bundle[]>; more: string[] } {
  const bodies = columns.pop() ?? Buffer.alloc(0);
  const [bundleIds = [], positions = [], more = [], [areText] = [], numbers = [], ...ofDeliveries] =
    columns.map((column) => column?.toString().split(',') ?? []);
  const read = bundleIds.map((bundleId): Bundle => ({ bundleId: Number(bundleId), deliveries: [] }));
  const deliveries = toDeliveries(ofDeliveries, areText === 't' ? bodies : Buffer.from(`${bodies}`, 'hex'));
  for (const [index, delivery] of deliveries.entries())
    read[Number(numbers[index]) - 1]?.deliveries.push(delivery);
  const bundles = new Map<string, Bundle[]>();
  for (const [index, bundle] of read.entries())
    addTo(bundles, botIds[Number(positions[index])] ?? '', bundle);
  return { bundles, more: [...new Set(more)].map((position) => botIds[Number(position)] ?? '') };
}

function addTo(bundles: Map<string, Bundle[]>, botId: string, bundle: Bundle): void {
  const ofBot = bundles.get(botId);
  if (ofBot) ofBot.push(bundle);
  else bundles.set(botId, [bundle]);
}

/** A delivery that was deleted while pending is missing. */
function toDeliveries(
  [ids = [], platforms = [], sources = [], received = [], lengths = []]: string[][],
  bodies: Buffer,
): Delivery[] {
  let end = 0;
  return ids.map((id, index): Delivery => {
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
}
