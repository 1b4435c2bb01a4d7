/**
 * Takes people out of deliveries that are kept: the items that name them go, those of others stay as they were told.
 *
 * In: bodies of any platform, ids of a person on it. What must hold: nothing of the person remains, and what the rest of a body
 * counts as stays the same.
 */
import type { Queryable } from '../database/database.ts';
import { numberList, textList } from '../database/lists.ts';
import { isObject } from '../json.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** The ids by which one platform names somebody. */
export type Named = { platform: PlatformName; ids: readonly string[] };

/** The lists whose items a platform module reads one by one (src/platforms). What surrounds them is the account's. */
const itemLists: ReadonlySet<string> = new Set([
  'events',
  'messaging',
  'standby',
  'changes',
  'messages',
  'message_echoes',
  'statuses',
  'contacts',
  'errors',
  'user_preferences',
]);

/**
 * The body without the items that name one of the ids; the same body when none does; null when nothing of it can stay: it is no
 * JSON, or it names them beside its items.
 */
export function withoutPerson(body: Uint8Array, ids: readonly string[]): Uint8Array | null {
  const text = Buffer.from(body).toString('utf8');
  if (!ids.some((id) => text.includes(id))) return body;
  let root: unknown;
  try {
    root = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
  const names = namesOf(ids);
  if (!isNamed(root, names)) return body;
  const rest = withoutItems(root, names);
  return isNamed(rest, names) ? null : Buffer.from(JSON.stringify(rest));
}

// A number within a longer one is somebody else's.
function namesOf(ids: readonly string[]): RegExp {
  const spellings = ids.map((id) => id.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`(?<![A-Za-z0-9])(?:${spellings.join('|')})(?![A-Za-z0-9])`);
}

function isNamed(node: unknown, names: RegExp): boolean {
  if (Array.isArray(node)) return node.some((item) => isNamed(item, names));
  if (isObject(node))
    return Object.entries(node).some(([name, member]) => names.test(name) || isNamed(member, names));
  return names.test(String(node));
}

function withoutItems(node: unknown, names: RegExp): unknown {
  if (Array.isArray(node)) return node.map((item) => withoutItems(item, names));
  if (!isObject(node)) return node;
  const members = Object.entries(node).map(([name, member]) => {
    const rest = withoutItems(member, names);
    const isList = itemLists.has(name) && Array.isArray(rest);
    return [name, isList ? rest.filter((item) => !isNamed(item, names)) : rest];
  });
  return Object.fromEntries(members);
}

type Kept = { deliveryId: number; body: Uint8Array };

/** Takes a person out of deliveries of these numbers. Safe to repeat. */
export async function eraseFromDeliveries(
  sql: Queryable,
  botId: string,
  { deliveryIds, ids }: { deliveryIds: readonly number[]; ids: readonly string[] },
): Promise<void> {
  if (ids.length === 0) return;
  const kept = await sql<Kept[]>`
    select delivery_id as "deliveryId", body from deliveries
    where bot_id = ${botId} and delivery_id = any (${numberList(deliveryIds)}::bigint[])`;
  await erase(sql, botId, kept, ids);
}

/** Deletes deliveries of these numbers. Safe to repeat. */
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
 * Takes a person out of all deliveries of the bot behind `afterId`. Those pending stay as they are; gives their numbers. Safe to
 * repeat, beside anything else.
 */
export async function eraseFromAll(
  sql: Queryable,
  botId: string,
  { platform, ids, afterId }: Named & { afterId: number },
): Promise<number[]> {
  const pending: number[] = [];
  let after = afterId;
  for (;;) {
    const page = await sql<(Kept & { pending: boolean })[]>`
      select delivery_id as "deliveryId", body, delivery_id in (
        select unnest(delivery_ids) from pending_bundles where bot_id = ${botId}) as pending
      from deliveries
      where bot_id = ${botId} and delivery_id > ${after} and ${names(sql, { platform, ids })}
      order by delivery_id limit ${pageDeliveries}`;
    const last = page.at(-1);
    if (last === undefined) return pending;
    pending.push(...page.filter((one) => one.pending).map(({ deliveryId }) => deliveryId));
    await erase(
      sql,
      botId,
      page.filter((one) => !one.pending),
      ids,
    );
    after = last.deliveryId;
  }
}

/** True when a delivery that is pending names the person: it has to be folded before the person can be erased. */
export async function isPending(sql: Queryable, botId: string, named: Named): Promise<boolean> {
  const rows = await sql`
    select from pending_bundles
    cross join lateral unnest(delivery_ids) as pending (delivery_id)
    cross join lateral (
      select from deliveries
      where deliveries.bot_id = ${botId} and deliveries.delivery_id = pending.delivery_id
        and ${names(sql, named)} limit 1
    ) delivery
    where pending_bundles.bot_id = ${botId} limit 1`;
  return rows.length > 0;
}

/** A number up to which every delivery can be seen that ever will be: one is given before its commit, so the newest are left out. */
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

/** For queries: true when a row of deliveries holds one of the ids. */
function names(sql: Queryable, { platform, ids }: Named) {
  return sql`(deliveries.platform = ${platform} and exists (
    select from unnest(${textList(ids)}::text[]) as named (id) where position(convert_to(named.id, 'UTF8') in body) > 0))`;
}

async function erase(
  sql: Queryable,
  botId: string,
  kept: readonly Kept[],
  ids: readonly string[],
): Promise<void> {
  for (const { deliveryId, body } of kept) {
    const rest = withoutPerson(body, ids);
    if (rest === body) continue;
    if (rest === null) {
      await deleteDeliveries(sql, botId, [deliveryId]);
    } else {
      await sql`
        update deliveries set body = ${rest} where bot_id = ${botId} and delivery_id = ${deliveryId}`;
    }
  }
}
