/**
 * The index of the people that deliveries name, to look up the deliveries of a person.
 *
 * A background scan writes it page by page: pairs of a delivery id and the hash of a person. The scan stays behind every
 * delivery that is not settled (settled-page.ts). `erasure.ts` reads the deliveries beyond its position.
 */
import { hash } from 'node:crypto';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { numberList } from '../database/lists.ts';
import { peopleInBody } from '../platforms/named-people.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { type Named, personFields } from './erasure.ts';
import type { DeliverySource } from './inbox.ts';
import { readSettledPage, settledMs } from './settled-page.ts';

// Parsing a page blocks other work of the process.
const pageDeliveries = 250;
const pageBytesMax = 2 * 1024 * 1024;
const hashBytes = 6;

/** Bots with deliveries that can be indexed now. */
export async function botsToIndex(sql: Queryable, { now }: { now: number }): Promise<string[]> {
  const rows = await sql<{ botId: string }[]>`
    with recursive bot as (
      (select bot_id from deliveries order by bot_id limit 1)
      union all
      select next.bot_id from bot cross join lateral (
        select bot_id from deliveries where deliveries.bot_id > bot.bot_id order by bot_id limit 1
      ) next
    )
    select bot_id as "botId" from bot where ${hasUnindexed(sql, sql`bot.bot_id`, { now })}`;
  return rows.map(({ botId }) => botId);
}

/** The number of deliveries that can be indexed now, up to `limit`. */
export async function countUnindexed(
  sql: Queryable,
  botId: string,
  { now, limit }: { now: number; limit: number },
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select (
      select count(*) from (
        select from deliveries
        where deliveries.bot_id = ${botId} and delivery_id > ${positionOf(sql, sql`${botId}`)} limit ${limit}
      ) unindexed
    )::float8 as count
    where ${hasUnindexed(sql, sql`${botId}`, { now })}`;
  return row?.count ?? 0;
}

/** The position of the scan: the deliveries of the bot up to this id are indexed. */
export async function indexedUpTo(sql: Queryable, botId: string): Promise<number> {
  const [row] = await sql<{ deliveryId: number }[]>`
    select ${positionOf(sql, sql`${botId}`)} as "deliveryId"`;
  return row?.deliveryId ?? 0;
}

/** For queries: true when the bot's oldest delivery beyond the position can be indexed. */
function hasUnindexed(sql: Queryable, bot: Fragment, { now }: { now: number }) {
  return sql`coalesce((
    select received_at < ${new Date(now - settledMs)} from deliveries
    where deliveries.bot_id = ${bot} and delivery_id > ${positionOf(sql, bot)}
    order by delivery_id limit 1), false)`;
}

function positionOf(sql: Queryable, bot: Fragment) {
  return sql`coalesce((
    select position.delivery_id from delivery_people_positions position where position.bot_id = ${bot}), 0)`;
}

/**
 * Indexes the next page of a bot's deliveries and returns their number; 0: none is left, or another process is indexing. Idempotent,
 * also in several processes.
 */
export async function indexPeople(sql: Sql, botId: string, { now }: { now: number }): Promise<number> {
  return sql.begin(async (tx) => {
    const position = await lockPosition(tx, botId, 'skip');
    if (position === null) return 0;
    const page = await readSettledPage<Delivery>(tx, botId, tx`platform, source, body`, {
      ...{ after: position, now, countMax: pageDeliveries, bytesMax: pageBytesMax },
    });
    const last = page.at(-1);
    if (last === undefined) return 0;
    const pairs = page.flatMap(({ deliveryId, platform, source, body }) => {
      const fields = personFields(platform, source);
      const people = fields === null ? [] : peopleInBody(body, fields);
      return people.map((id) => ({ deliveryId, person: hashOf(platform, id) }));
    });
    if (pairs.length > 0) {
      await tx`
        insert into delivery_people (bot_id, last_delivery_id, delivery_ids, people)
        values (${botId}, ${last.deliveryId}, ${numberList(pairs.map(({ deliveryId }) => deliveryId))}::bigint[],
          ${numberList(pairs.map(({ person }) => person))}::bigint[])`;
    }
    await tx`
      update delivery_people_positions set delivery_id = ${last.deliveryId} where bot_id = ${botId}`;
    return page.length;
  }) as Promise<number>;
}

/** Locks the position of the bot's scan until the transaction ends, and returns it. */
export async function lockPosition(tx: Transaction, botId: string, busy: 'wait'): Promise<number>;
/** The same; null: another transaction holds the lock. */
export async function lockPosition(tx: Transaction, botId: string, busy: 'skip'): Promise<number | null>;
export async function lockPosition(
  tx: Transaction,
  botId: string,
  busy: 'wait' | 'skip',
): Promise<number | null> {
  await tx`
    insert into delivery_people_positions (bot_id, delivery_id) values (${botId}, 0) on conflict (bot_id) do nothing`;
  const [row] = await tx<{ deliveryId: number }[]>`
    select delivery_id as "deliveryId" from delivery_people_positions
    where bot_id = ${botId} for update ${busy === 'skip' ? tx`skip locked` : tx``}`;
  return row?.deliveryId ?? null;
}

type Delivery = { deliveryId: number; platform: PlatformName; source: DeliverySource; body: Uint8Array };

/** The ids of indexed deliveries that name the person, oldest first. Some may be deleted. */
export async function indexedDeliveries(
  sql: Queryable,
  botId: string,
  { platform, ids }: Named,
): Promise<number[]> {
  const hashes = numberList(ids.map((id) => hashOf(platform, id)));
  const rows = await sql<{ deliveryId: number }[]>`
    select distinct named.delivery_id as "deliveryId"
    from delivery_people cross join lateral unnest(delivery_ids, people) as named (delivery_id, person)
    where bot_id = ${botId} and people && ${hashes}::bigint[] and named.person = any (${hashes}::bigint[])
    order by 1`;
  return rows.map(({ deliveryId }) => deliveryId);
}

/** Up to `limit` ids of indexed deliveries below `beforeId` that name the person, newest first. Some may be deleted. */
export async function newestIndexed(
  sql: Queryable,
  botId: string,
  { platform, ids, beforeId, limit }: Named & { beforeId: number; limit: number },
): Promise<number[]> {
  const hashes = numberList(ids.map((id) => hashOf(platform, id)));
  // Rows of the index do not overlap. The first may have no delivery below `beforeId`, so the limit is one row more.
  const rows = await sql<{ deliveryId: number }[]>`
    select distinct named.delivery_id as "deliveryId"
    from (
      select delivery_ids, people from delivery_people
      where bot_id = ${botId} and people && ${hashes}::bigint[] and last_delivery_id <= coalesce((
        select min(last_delivery_id) from delivery_people where bot_id = ${botId} and last_delivery_id >= ${beforeId}),
        ${beforeId})
      order by last_delivery_id desc limit ${limit + 1}
    ) page cross join lateral unnest(delivery_ids, people) as named (delivery_id, person)
    where named.person = any (${hashes}::bigint[]) and named.delivery_id < ${beforeId}
    order by 1 desc limit ${limit}`;
  return rows.map(({ deliveryId }) => deliveryId);
}

/** Removes the person from the index of these deliveries, in the transaction that erases the bodies. Idempotent. */
export async function unindexPerson(
  tx: Transaction,
  botId: string,
  { platform, ids, deliveryIds }: Named & { deliveryIds: readonly number[] },
): Promise<void> {
  if (deliveryIds.length === 0) return;
  const hashes = numberList(ids.map((id) => hashOf(platform, id)));
  await tx`
    update delivery_people set (delivery_ids, people) = (
      select coalesce(array_agg(named.delivery_id order by named.place), '{}'),
        coalesce(array_agg(named.person order by named.place), '{}')
      from unnest(delivery_ids, people) with ordinality as named (delivery_id, person, place)
      where named.person <> all (${hashes}::bigint[]) or named.delivery_id <> all (${numberList(deliveryIds)}::bigint[])
    )
    where bot_id = ${botId} and last_delivery_id >= ${Math.min(...deliveryIds)} and people && ${hashes}::bigint[]`;
}

/** Deletes index rows whose deliveries are deleted, up to an id. Idempotent. */
export async function purgePeople(sql: Queryable, botId: string, upToId: number): Promise<void> {
  await sql`
    delete from delivery_people
    where bot_id = ${botId} and last_delivery_id <= ${upToId} and not exists (
      select from deliveries
      where deliveries.bot_id = ${botId} and deliveries.delivery_id = any (delivery_people.delivery_ids))`;
}

/** A hash of 48 bits. If two people share one, a delivery of the other person is read and stays unchanged. */
function hashOf(platform: PlatformName, id: string): number {
  return hash('sha256', `${platform} ${id}`, 'buffer').readUIntBE(0, hashBytes);
}
