/**
 * The catalogue of gifts. At most one gift of a bot is the default one.
 */
import { lockBot } from '../bots/bots.ts';
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';

export const giftKinds = ['ticket', 'physical', 'virtual'] as const;
export type GiftKind = (typeof giftKinds)[number];

export type Gift = {
  giftId: string;
  name: string;
  kind: GiftKind;
  /** Where it comes from, such as lotteryGame. */
  resource: string;
  isDefault: boolean;
  /** How many can be granted in all; null: any number. */
  stock: number | null;
  granted: number;
  expiresAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
};

export type NewGift = Pick<Gift, 'name' | 'kind' | 'resource' | 'isDefault' | 'stock' | 'expiresAt'>;
export type GiftKey = { botId: string; giftId: string };

/** Throws Refusal BOT_NOT_FOUND, GIFT_EXISTS (the name is taken). */
export async function createGift(
  tx: Transaction,
  { botId, ...gift }: NewGift & { botId: string },
  { now, random }: { now: number; random: Random },
): Promise<Gift> {
  await lockBot(tx, botId);
  const giftId = newId(random);
  if (gift.isDefault) await clearDefault(tx, { botId, giftId });
  const at = new Date(now);
  const { count } = await tx`
    insert into gifts (bot_id, gift_id, name, kind, resource, is_default, stock, expires_at, created_at, updated_at)
    values (${botId}, ${giftId}, ${gift.name}, ${gift.kind}, ${gift.resource}, ${gift.isDefault}, ${gift.stock},
      ${gift.expiresAt}, ${at}, ${at})
    on conflict (bot_id, name) do nothing`;
  if (count === 0) throw giftExists(gift.name);
  return findGift(tx, { botId, giftId });
}

/** Changes a gift; omitted members stay. Throws Refusal GIFT_NOT_FOUND, GIFT_EXISTS, INPUT_INVALID (the stock is below what was granted). */
export async function changeGift(
  tx: Transaction,
  { botId, giftId, ...changes }: GiftKey & Partial<Omit<NewGift, 'kind'>>,
  { now }: { now: number },
): Promise<Gift> {
  await lockBot(tx, botId);
  const [before] = await tx<Gift[]>`
    select ${columns(tx)} from gifts where bot_id = ${botId} and gift_id = ${giftId} for update`;
  if (!before) throw giftNotFound({ botId, giftId });
  const { name, resource, isDefault, stock, expiresAt } = { ...before, ...changes };
  if (stock !== null && stock < before.granted)
    throw invalidInput(`The stock must be at least ${before.granted}, the number of granted ones.`);
  const [taken] = await tx`
    select from gifts where bot_id = ${botId} and name = ${name} and gift_id <> ${giftId}`;
  if (taken) throw giftExists(name);
  if (isDefault) await clearDefault(tx, { botId, giftId });
  await tx`
    update gifts set name = ${name}, resource = ${resource}, is_default = ${isDefault}, stock = ${stock},
      expires_at = ${expiresAt}, updated_at = ${new Date(now)}
    where bot_id = ${botId} and gift_id = ${giftId}`;
  return findGift(tx, { botId, giftId });
}

/**
 * Adds the gift, or changes the one of that name; undefined members of it stay. Throws Refusal BOT_NOT_FOUND, INPUT_INVALID (the gift
 * has another kind, or the stock is below what was granted).
 */
export async function putGift(
  tx: Transaction,
  {
    botId,
    name,
    kind,
    ...gift
  }: { botId: string } & Pick<NewGift, 'name' | 'kind' | 'resource'> & {
      [Name in 'isDefault' | 'stock' | 'expiresAt']: NewGift[Name] | undefined;
    },
  { now, random }: { now: number; random: Random },
): Promise<'added' | 'updated' | 'unchanged'> {
  await lockBot(tx, botId);
  const [before] = await tx<Gift[]>`
    select ${columns(tx)} from gifts where bot_id = ${botId} and name = ${name}`;
  if (!before) {
    const { isDefault = false, stock = null, expiresAt = null, resource } = gift;
    await createGift(tx, { botId, name, kind, resource, isDefault, stock, expiresAt }, { now, random });
    return 'added';
  }
  if (before.kind !== kind)
    throw invalidInput(
      `The gift ${JSON.stringify(name)} is of the kind ${before.kind}, which cannot change.`,
    );
  const { isDefault = before.isDefault, stock = before.stock, expiresAt = before.expiresAt, resource } = gift;
  const isUnchanged =
    resource === before.resource &&
    isDefault === before.isDefault &&
    stock === before.stock &&
    expiresAt?.getTime() === before.expiresAt?.getTime();
  if (isUnchanged) return 'unchanged';
  await changeGift(tx, { botId, giftId: before.giftId, resource, isDefault, stock, expiresAt }, { now });
  return 'updated';
}

async function clearDefault(tx: Transaction, { botId, giftId }: GiftKey): Promise<void> {
  await tx`update gifts set is_default = false where bot_id = ${botId} and is_default and gift_id <> ${giftId}`;
}

/** Throws Refusal GIFT_NOT_FOUND. */
export async function findGift(sql: Queryable, { botId, giftId }: GiftKey): Promise<Gift> {
  const [gift] = await sql<Gift[]>`
    select ${columns(sql)} from gifts where bot_id = ${botId} and gift_id = ${giftId}`;
  if (gift) return gift;
  throw giftNotFound({ botId, giftId });
}

/** The gift with this id or name. Throws Refusal GIFT_NOT_FOUND. */
export async function findGiftByName(sql: Queryable, botId: string, name: string): Promise<Gift> {
  const [gift] = await sql<Gift[]>`
    select ${columns(sql)} from gifts where bot_id = ${botId} and (gift_id = ${name} or name = ${name})
    order by gift_id = ${name} desc limit 1`;
  if (gift) return gift;
  throw giftNotFound({ botId, giftId: name });
}

/** A page of the catalogue by name. */
export async function listGifts(
  sql: Queryable,
  botId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<Gift[]> {
  return sql<Gift[]>`
    select ${columns(sql)} from gifts
    where bot_id = ${botId} ${after === null ? sql`` : sql`and name > ${after}`}
    order by name limit ${limit}`;
}

function columns(sql: Queryable): Fragment {
  return sql`gift_id as "giftId", name, kind, resource, is_default as "isDefault", stock, granted, expires_at as "expiresAt",
    created_at as "createdAt", updated_at as "updatedAt"`;
}

function giftExists(name: string): Refusal {
  return new Refusal('GIFT_EXISTS', `The bot has a gift ${JSON.stringify(name)} already.`);
}

export function giftNotFound({ botId, giftId }: GiftKey): Refusal {
  return new Refusal('GIFT_NOT_FOUND', `Bot ${botId} has no gift ${giftId}.`);
}
