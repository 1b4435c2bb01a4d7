/**
 * The deliveries that name a person, newest first, page by page.
 *
 * The newest deliveries, which the scan of delivery-people.ts has not reached, are read. Older ones are looked up in its index. One
 * call reads a bounded number of both, so a page can be shorter than its limit without being the last one. The body decides: if two
 * people share a hash, a delivery of the other person is left out.
 */
import type { Queryable } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { peopleInBody } from '../platforms/named-people.ts';
import { type DeliveryState, type ListedDelivery, listedColumns, withState } from './deliveries.ts';
import { indexedUpTo, newestIndexed } from './delivery-people.ts';
import { mayName, type Named, personFields } from './erasure.ts';
import type { DeliverySource } from './inbox.ts';
import { isPending } from './pending.ts';

export const unindexedMax = 2_000;
const unindexedBytesMax = 16 * 1024 * 1024;
export const candidatesMax = 1_000;
// Bodies have up to 3 MB.
const bodiesAtOnce = 16;

type Query = { state: DeliveryState | null; limit: number; beforeId: number | null };
/** `nextBeforeId` null: this is the last page. */
type Page = { deliveries: ListedDelivery[]; nextBeforeId: number | null };
type Stretch = { deliveryIds: number[]; nextBeforeId: number | null };

/** Deliveries with ids below `beforeId` that name the person. */
export async function listDeliveriesOf(
  sql: Queryable,
  botId: string,
  person: Named,
  { state, limit, beforeId }: Query,
): Promise<Page> {
  const indexed = await indexedUpTo(sql, botId);
  const deliveries: ListedDelivery[] = [];
  let before = beforeId ?? Number.MAX_SAFE_INTEGER;
  for (const select of before > indexed + 1 ? [unindexed, candidates] : [candidates]) {
    const stretch = await select(sql, botId, { ...person, beforeId: before, indexed });
    for (let first = 0; first < stretch.deliveryIds.length; first += bodiesAtOnce) {
      const deliveryIds = stretch.deliveryIds.slice(first, first + bodiesAtOnce);
      deliveries.push(...(await readNaming(sql, botId, { ...person, deliveryIds, state })));
      if (deliveries.length > limit) {
        const page = deliveries.slice(0, limit);
        return { deliveries: page, nextBeforeId: page.at(-1)?.deliveryId ?? before };
      }
    }
    if (stretch.nextBeforeId !== null) return { deliveries, nextBeforeId: stretch.nextBeforeId };
    before = indexed + 1;
  }
  return { deliveries, nextBeforeId: null };
}

type Below = Named & { beforeId: number; indexed: number };

/** The newest deliveries beyond the index, up to the bounds, that may name the person. */
async function unindexed(
  sql: Queryable,
  botId: string,
  { platform, ids, beforeId, indexed }: Below,
): Promise<Stretch> {
  const rows = await sql<{ deliveryId: number; names: boolean }[]>`
    select delivery_id as "deliveryId", ${mayName(sql, { platform, ids })} as names
    from (
      select *, sum(octet_length(body)) over (order by delivery_id desc) - octet_length(body) as bytes_before
      from (
        select delivery_id, platform, body from deliveries
        where bot_id = ${botId} and delivery_id > ${indexed} and delivery_id < ${beforeId}
        order by delivery_id desc limit ${unindexedMax}
      ) newest
    ) deliveries
    where bytes_before < ${unindexedBytesMax} order by delivery_id desc`;
  const last = rows.at(-1)?.deliveryId;
  const deliveryIds = rows.filter(({ names }) => names).map(({ deliveryId }) => deliveryId);
  if (last === undefined || !(await hasUnindexed(sql, botId, { indexed, beforeId: last })))
    return { deliveryIds, nextBeforeId: null };
  return { deliveryIds, nextBeforeId: last };
}

async function hasUnindexed(
  sql: Queryable,
  botId: string,
  { indexed, beforeId }: { indexed: number; beforeId: number },
): Promise<boolean> {
  const rows = await sql`
    select from deliveries
    where bot_id = ${botId} and delivery_id > ${indexed} and delivery_id < ${beforeId} limit 1`;
  return rows.length > 0;
}

/** The newest indexed deliveries with a hash of the person. */
async function candidates(
  sql: Queryable,
  botId: string,
  { beforeId, indexed, ...person }: Below,
): Promise<Stretch> {
  const deliveryIds = await newestIndexed(sql, botId, {
    ...{ ...person, beforeId: Math.min(beforeId, indexed + 1), limit: candidatesMax },
  });
  const last = deliveryIds.at(-1);
  return { deliveryIds, nextBeforeId: deliveryIds.length < candidatesMax ? null : (last ?? null) };
}

type Row = Parameters<typeof withState>[0] & { source: DeliverySource; body: Uint8Array };

/** The deliveries among these that are in the state and name the person in their bodies, newest first. */
async function readNaming(
  sql: Queryable,
  botId: string,
  { platform, ids, deliveryIds, state }: Named & { deliveryIds: number[]; state: DeliveryState | null },
): Promise<ListedDelivery[]> {
  const bounds = { from: Math.min(...deliveryIds), to: Math.max(...deliveryIds) };
  const rows = await sql<Row[]>`
    select * from (
      select ${listedColumns(sql)}, ${isPending(sql, botId, bounds)} as pending, source, body
      from deliveries
      where bot_id = ${botId} and platform = ${platform} and delivery_id = any (${numberList(deliveryIds)}::bigint[])
    ) listed
    where ${state === null ? sql`true` : isIn(sql, state)}
    order by "deliveryId" desc`;
  const person = new Set(ids);
  return rows.flatMap(({ source, body, ...row }) => {
    const fields = personFields(platform, source);
    const isNamed = fields !== null && peopleInBody(body, fields).some((id) => person.has(id));
    return isNamed ? [withState(row)] : [];
  });
}

function isIn(sql: Queryable, state: DeliveryState) {
  if (state === 'pending') return sql`pending`;
  return state === 'folded' ? sql`not pending and reason is null` : sql`not pending and reason is not null`;
}
