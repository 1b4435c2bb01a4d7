/**
 * Removes a person from stored deliveries: it drops the items that name the person, and the other items stay unchanged. So nothing of
 * the person remains, and the rest of a body counts the same.
 */
import type { Queryable } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import { readers } from '../platforms/index.ts';
import { withoutPerson } from '../platforms/named-people.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { PersonFields } from '../platforms/reader.ts';
import type { DeliverySource } from './inbox.ts';
import { isPending } from './pending.ts';

/** The ids of a person on one platform. */
export type Named = { platform: PlatformName; ids: readonly string[] };

/** The gateway's records name the recipient of a send, or the person that clicked. */
const recordFields: PersonFields = {
  ...readers.line.people,
  ids: new Set(['person']),
  lists: new Set(),
  accountIds: () => [],
};

/** The members that name people in deliveries of a source; null: LINE's answers name no people. */
export function personFields(platform: PlatformName, source: DeliverySource): PersonFields | null {
  if (source === 'line-answer') return null;
  return source === 'line-send' ? recordFields : readers[platform].people;
}

type StoredBody = { deliveryId: number; source: DeliverySource; body: Uint8Array };

/** Removes a person from these deliveries. Idempotent. */
export async function eraseFromDeliveries(
  sql: Queryable,
  botId: string,
  { deliveryIds, ...named }: Named & { deliveryIds: readonly number[] },
): Promise<void> {
  if (named.ids.length === 0) return;
  const bodies = await sql<StoredBody[]>`
    select delivery_id as "deliveryId", source, body from deliveries
    where bot_id = ${botId} and platform = ${named.platform}
      and delivery_id = any (${numberList(deliveryIds)}::bigint[])`;
  await erase(sql, botId, bodies, named);
}

/** Deletes these deliveries. Idempotent. */
export async function deleteDeliveries(
  sql: Queryable,
  botId: string,
  deliveryIds: readonly number[],
): Promise<void> {
  if (deliveryIds.length === 0) return;
  await sql`
    delete from deliveries where bot_id = ${botId} and delivery_id = any (${numberList(deliveryIds)}::bigint[])`;
}

// Bodies have up to 3 MB.
const pageDeliveries = 16;

/**
 * Removes a person from all deliveries of the bot above `afterId` except pending ones, and returns the ids of those. Idempotent, also
 * while other transactions write deliveries.
 */
export async function eraseFromAll(
  sql: Queryable,
  botId: string,
  { platform, ids, afterId }: Named & { afterId: number },
): Promise<number[]> {
  const pending: number[] = [];
  let after = afterId;
  for (;;) {
    const page = await sql<BodyWithState[]>`
      select delivery_id as "deliveryId", source, body, ${isPending(sql, botId, { from: after, to: Number.MAX_SAFE_INTEGER })} as pending
      from deliveries
      where bot_id = ${botId} and delivery_id > ${after} and ${mayName(sql, { platform, ids })}
      order by delivery_id limit ${pageDeliveries}`;
    const last = page.at(-1);
    if (last === undefined) return pending;
    pending.push(...(await eraseUnlessPending(sql, botId, page, { platform, ids })));
    after = last.deliveryId;
  }
}

/** The same for these deliveries. */
export async function eraseFolded(
  sql: Queryable,
  botId: string,
  { deliveryIds, ...named }: Named & { deliveryIds: readonly number[] },
): Promise<number[]> {
  const pending: number[] = [];
  for (let first = 0; first < deliveryIds.length; first += pageDeliveries) {
    const ids = deliveryIds.slice(first, first + pageDeliveries);
    const bounds = { from: Math.min(...ids), to: Math.max(...ids) };
    const page = await sql<BodyWithState[]>`
      select delivery_id as "deliveryId", source, body, ${isPending(sql, botId, bounds)} as pending
      from deliveries
      where bot_id = ${botId} and platform = ${named.platform}
        and delivery_id = any (${numberList(ids)}::bigint[])`;
    pending.push(...(await eraseUnlessPending(sql, botId, page, named)));
  }
  return pending;
}

type BodyWithState = StoredBody & { pending: boolean };

async function eraseUnlessPending(
  sql: Queryable,
  botId: string,
  page: readonly BodyWithState[],
  named: Named,
): Promise<number[]> {
  const folded = page.filter(({ pending }) => !pending);
  await erase(sql, botId, folded, named);
  return page.filter(({ pending }) => pending).map(({ deliveryId }) => deliveryId);
}

/** The id up to which no further delivery can appear: ids are assigned before commits, so the newest are left out. */
export async function settledUpTo(
  sql: Queryable,
  botId: string,
  { receivedBefore }: { receivedBefore: number },
): Promise<number> {
  const [row] = await sql<{ deliveryId: number }[]>`
    select delivery_id as "deliveryId" from deliveries
    where bot_id = ${botId} and received_at < ${new Date(receivedBefore)} order by delivery_id desc limit 1`;
  return row?.deliveryId ?? 0;
}

/** For queries: true when a row of `deliveries` may name one of the ids. Escapes and the formatting of numbers can hide ids. */
export function mayName(sql: Queryable, { platform, ids }: Named) {
  const texts = platform === 'whatsapp' ? [''] : ['\\u', ...ids];
  return sql`(deliveries.platform = ${platform} and exists (
    select from ${rowTable(sql, 'named', texts, { id: ['text', (text) => text] })}
    where position(convert_to(named.id, 'UTF8') in body) > 0))`;
}

async function erase(
  sql: Queryable,
  botId: string,
  bodies: readonly StoredBody[],
  { platform, ids }: Named,
): Promise<void> {
  for (const { deliveryId, source, body } of bodies) {
    const fields = personFields(platform, source);
    const rest = fields === null ? body : withoutPerson(body, ids, fields);
    if (rest === body) continue;
    if (rest === null) {
      await deleteDeliveries(sql, botId, [deliveryId]);
    } else {
      await sql`
        update deliveries set body = ${rest} where bot_id = ${botId} and delivery_id = ${deliveryId}`;
    }
  }
}
