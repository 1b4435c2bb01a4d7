/**
 * Grants of gifts to contacts, and their redemption. Both have keys, so that a repeated call changes nothing. A grant locks its gift, so
 * that the stock never becomes negative. Two redemptions can take one key at the same time, so both run in a `repeatedTransaction`.
 */
import type { ShownContact } from '../contacts/list.ts';
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { enqueueMessages } from '../webhooks-out/outbox.ts';
import { type Gift, type GiftKey, type GiftKind, giftNotFound } from './gifts.ts';

export type Grant = {
  grantId: number;
  contactId: string;
  giftId: string;
  name: string;
  kind: GiftKind;
  resource: string;
  isDefault: boolean;
  key: string;
  grantedBy: string | null;
  grantedAt: Date;
  redeemedBy: string | null;
  redeemedAt: Date | null;
  /** Of the gift. */
  expiresAt: Date | null;
};

type Change = { key: string; by: string | null };

/**
 * Grants a gift to a contact. A repeated call with the key returns the existing grant. Throws Refusal GIFT_NOT_FOUND, GIFT_EXPIRED,
 * GIFT_OUT_OF_STOCK, KEY_REUSED.
 */
export async function grantGift(
  tx: Transaction,
  { botId, giftId, contactId: requestedId, key, by }: GiftKey & Change & { contactId: string },
  { now }: { now: number },
): Promise<{ grant: Grant; repeated: boolean }> {
  const contactId = await lockContact(tx, { botId, contactId: requestedId });
  const [gift] = await tx<Pick<Gift, 'stock' | 'granted' | 'expiresAt' | 'name'>[]>`
    select name, stock, granted, expires_at as "expiresAt" from gifts
    where bot_id = ${botId} and gift_id = ${giftId} for update`;
  if (!gift) throw giftNotFound({ botId, giftId });
  const existing = await findByKey(tx, botId, key);
  if (existing) {
    if (existing.giftId === giftId && existing.contactId === contactId)
      return { grant: existing, repeated: true };
    throw new Refusal('KEY_REUSED', `The key ${key} belongs to another grant.`);
  }
  if (gift.expiresAt !== null && gift.expiresAt.getTime() <= now)
    throw new Refusal('GIFT_EXPIRED', `The gift ${gift.name} has expired.`);
  if (gift.stock !== null && gift.granted >= gift.stock)
    throw new Refusal('GIFT_OUT_OF_STOCK', `All ${gift.stock} of the gift ${gift.name} are granted.`);
  const { count } = await tx`
    insert into gift_grants (bot_id, gift_id, contact_id, key, granted_by, granted_at)
    values (${botId}, ${giftId}, ${contactId}, ${key}, ${by}, ${new Date(now)})
    on conflict (bot_id, key) do nothing`;
  // Another gift was granted with the key at the same time.
  if (count === 0) throw new Refusal('KEY_REUSED', `The key ${key} belongs to another grant.`);
  await tx`
    update gifts set granted = granted + 1, updated_at = ${new Date(now)} where bot_id = ${botId} and gift_id = ${giftId}`;
  const grant = await findByKey(tx, botId, key);
  if (!grant) throw new Error('a new grant has no row');
  await report(tx, botId, { type: 'gift.granted', grant, key, at: now });
  return { grant, repeated: false };
}

/** The contact, or the one that it is merged into. It merges with no other until the transaction ends. */
async function lockContact(
  tx: Transaction,
  { botId, contactId }: { botId: string; contactId: string },
): Promise<string> {
  const [row] = await tx<{ contactId: string }[]>`
    select coalesce(merged_into, contact_id) as "contactId" from contacts
    where bot_id = ${botId} and contact_id = ${contactId} for share`;
  return row?.contactId ?? contactId;
}

/**
 * Redeems a granted gift. A repeated call with the key returns the same. Throws Refusal GRANT_NOT_FOUND, GIFT_EXPIRED, GIFT_REDEEMED
 * (with another key), KEY_REUSED.
 */
export async function redeemGift(
  tx: Transaction,
  { botId, contactId, grantId, key, by }: Change & { botId: string; contactId: string; grantId: number },
  { now }: { now: number },
): Promise<{ grant: Grant; repeated: boolean }> {
  const [row] = await tx<{ redeemKey: string | null }[]>`
    select redeem_key as "redeemKey" from gift_grants
    where bot_id = ${botId} and grant_id = ${grantId} and contact_id = ${contactId} for update`;
  const grant = row && (await findGrant(tx, { botId, grantId }));
  if (!grant) throw new Refusal('GRANT_NOT_FOUND', `The contact has no grant ${grantId}.`);
  if (row.redeemKey === key) return { grant, repeated: true };
  if (row.redeemKey !== null) throw new Refusal('GIFT_REDEEMED', `The grant ${grantId} is redeemed already.`);
  if (grant.expiresAt !== null && grant.expiresAt.getTime() <= now)
    throw new Refusal('GIFT_EXPIRED', `The gift ${grant.name} has expired.`);
  const [used] = await tx`select from gift_grants where bot_id = ${botId} and redeem_key = ${key}`;
  if (used) throw new Refusal('KEY_REUSED', `The key ${key} belongs to another redemption.`);
  const at = new Date(now);
  await tx`
    update gift_grants set redeem_key = ${key}, redeemed_by = ${by}, redeemed_at = ${at}
    where bot_id = ${botId} and grant_id = ${grantId}`;
  await report(tx, botId, { type: 'gift.redeemed', grant, key, at: now });
  return { grant: { ...grant, redeemedBy: by, redeemedAt: at }, repeated: false };
}

/**
 * Redeems a grant of the gift: the one with this number, or else the contact's oldest unused one. A repeated call with the key returns
 * the same grant. Throws Refusal GRANT_NOT_FOUND (no such grant is unused), and as `redeemGift`.
 */
export async function redeemOfGift(
  tx: Transaction,
  { giftId, grantId, ...change }: Change & GiftKey & { contactId: string; grantId: number | null },
  { now }: { now: number },
): Promise<{ grant: Grant; repeated: boolean }> {
  const { botId, contactId, key } = change;
  for (;;) {
    const [row] = await tx<{ grantId: number }[]>`
      select grant_id as "grantId" from gift_grants
      where bot_id = ${botId} and contact_id = ${contactId} and gift_id = ${giftId}
        and (redeem_key is null or redeem_key = ${key})
        ${grantId === null ? tx`` : tx`and grant_id = ${grantId}`}
      order by redeem_key is null, grant_id limit 1`;
    if (!row) throw new Refusal('GRANT_NOT_FOUND', 'The contact has no unused grant of the gift.');
    try {
      return await redeemGift(tx, { ...change, grantId: row.grantId }, { now });
    } catch (error) {
      // A call has redeemed the grant since. The next look finds another one.
      const isTaken = grantId === null && error instanceof Refusal && error.code === 'GIFT_REDEEMED';
      if (!isTaken) throw error;
    }
  }
}

async function report(
  tx: Transaction,
  botId: string,
  { type, grant, key, at }: { type: 'gift.granted' | 'gift.redeemed'; grant: Grant; key: string; at: number },
): Promise<void> {
  const { contactId, grantId, giftId, name, kind, resource } = grant;
  const data = { grantId, giftId, name, kind, resource, key };
  await enqueueMessages(tx, botId, [{ contactId, at, type, data }], { now: at });
}

/** The contact's grants, newest first: those before `beforeId` if it is set. */
export async function listGrants(
  sql: Queryable,
  { botId, contactId }: { botId: string; contactId: string },
  { limit, beforeId }: { limit: number; beforeId: number | null },
): Promise<Grant[]> {
  return sql<Grant[]>`
    select ${columns(sql)} from gift_grants grants join gifts on gifts.bot_id = ${botId} and gifts.gift_id = grants.gift_id
    where grants.bot_id = ${botId} and grants.contact_id = ${contactId}
      ${beforeId === null ? sql`` : sql`and grants.grant_id < ${beforeId}`}
    order by grants.grant_id desc limit ${limit}`;
}

export type ContactGrant = Grant &
  Pick<ShownContact, 'platform' | 'platformContactId'> & { contactName: string | null };

/** All grants with their contacts, newest first: those before `beforeId`, and of one gift, if they are set. */
export async function listGrantsOfBot(
  sql: Queryable,
  botId: string,
  { giftId, beforeId, limit }: { giftId: string | null; beforeId: number | null; limit: number },
): Promise<ContactGrant[]> {
  return sql<ContactGrant[]>`
    select ${columns(sql)}, contact.platform, contact.platform_contact_id as "platformContactId", profile.name as "contactName"
    from (
      select * from gift_grants
      where bot_id = ${botId} ${giftId === null ? sql`` : sql`and gift_id = ${giftId}`}
        ${beforeId === null ? sql`` : sql`and grant_id < ${beforeId}`}
      order by grant_id desc limit ${limit}
    ) grants
    join gifts on gifts.bot_id = ${botId} and gifts.gift_id = grants.gift_id
    join contacts contact on contact.bot_id = ${botId} and contact.contact_id = grants.contact_id
    left join contact_profiles profile on profile.bot_id = ${botId} and profile.contact_id = grants.contact_id
    order by grants.grant_id desc`;
}

/** The contact's grants that can be redeemed at `now`, oldest first. */
export async function unusedGrants(
  sql: Queryable,
  { botId, contactId, now }: { botId: string; contactId: string; now: number },
): Promise<Grant[]> {
  return sql<Grant[]>`
    select ${columns(sql)} from gift_grants grants join gifts on gifts.bot_id = ${botId} and gifts.gift_id = grants.gift_id
    where grants.bot_id = ${botId} and grants.contact_id = ${contactId} and redeemed_at is null
      and (gifts.expires_at is null or gifts.expires_at > ${new Date(now)})
    order by grants.grant_id`;
}

/** Moves grants to another contact: two contacts prove to be one person, or a person is deleted. Safe to repeat. */
export async function moveGrants(
  tx: Transaction,
  { botId, fromContactId, toContactId }: { botId: string; fromContactId: string; toContactId: string },
): Promise<void> {
  await tx`
    update gift_grants set contact_id = ${toContactId} where bot_id = ${botId} and contact_id = ${fromContactId}`;
}

/** Gifts whose number of grants differs from their counter. */
export async function auditGifts(
  sql: Queryable,
  botId: string,
): Promise<{ giftId: string; name: string; counted: number; granted: number }[]> {
  return sql`
    select gifts.gift_id as "giftId", gifts.name, gifts.granted as counted, coalesce(grants.count, 0) as granted
    from gifts left join (
      select gift_id, count(*) as count from gift_grants where bot_id = ${botId} group by gift_id
    ) grants on grants.gift_id = gifts.gift_id
    where gifts.bot_id = ${botId} and gifts.granted <> coalesce(grants.count, 0)
    order by gifts.name`;
}

async function findByKey(sql: Queryable, botId: string, key: string): Promise<Grant | undefined> {
  const [grant] = await sql<Grant[]>`
    select ${columns(sql)} from gift_grants grants join gifts on gifts.bot_id = ${botId} and gifts.gift_id = grants.gift_id
    where grants.bot_id = ${botId} and grants.key = ${key}`;
  return grant;
}

async function findGrant(
  sql: Queryable,
  { botId, grantId }: { botId: string; grantId: number },
): Promise<Grant | undefined> {
  const [grant] = await sql<Grant[]>`
    select ${columns(sql)} from gift_grants grants join gifts on gifts.bot_id = ${botId} and gifts.gift_id = grants.gift_id
    where grants.bot_id = ${botId} and grants.grant_id = ${grantId}`;
  return grant;
}

function columns(sql: Queryable): Fragment {
  return sql`grants.grant_id as "grantId", grants.contact_id as "contactId", grants.gift_id as "giftId", gifts.name, gifts.kind,
    gifts.resource, gifts.is_default as "isDefault", grants.key, granted_by as "grantedBy", granted_at as "grantedAt",
    redeemed_by as "redeemedBy", redeemed_at as "redeemedAt", gifts.expires_at as "expiresAt"`;
}
