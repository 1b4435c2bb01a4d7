/**
 * What is known of contacts as persons: the customer they are to the business, and what platforms tell of them. It stands
 * apart from contacts and events and no figure is made of it, so all of a person can be erased by deleting one row.
 *
 * Whoever writes here for one contact holds the bot's lock, so that nobody joins the contact to another meanwhile.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type Column, columnNames, rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { type Change, tell } from '../webhooks-out/outbox.ts';
import { findByAnyId } from './contacts.ts';

export const customerIdLengthMax = 200;

/**
 * Makes a contact (by its id on the platform, or its encoded one) a customer of the business's own system; a binding to
 * another customer is replaced. Several contacts may be one customer. Safe to repeat. Throws BOT_NOT_FOUND, BIND_FAILED.
 */
export async function bindCustomer(
  tx: Transaction,
  { botId, contact, customerId: typed }: { botId: string; contact: string; customerId: string },
  { now }: { now: number },
): Promise<void> {
  const customerId = typed.normalize('NFC');
  await lockBot(tx, botId);
  const contactId = await findByAnyId(tx, botId, contact);
  if (contactId === null) throw new Refusal('BIND_FAILED', 'No contact of that id, or more than one.');
  const before = await customerOf(tx, botId, contactId);
  if (before === customerId) return;
  await tx`
    insert into contact_profiles (bot_id, contact_id, customer_id, updated_at)
    values (${botId}, ${contactId}, ${customerId}, ${new Date(now)})
    on conflict (bot_id, contact_id) do update set customer_id = excluded.customer_id, updated_at = excluded.updated_at`;
  await tell(tx, botId, rebound({ contactId, before, customerId }, now), { now });
}

/** Ends that binding. Throws BOT_NOT_FOUND, and UNBIND_FAILED where there is none such: also when it has been ended already. */
export async function unbindCustomer(
  tx: Transaction,
  { botId, contact, customerId: typed }: { botId: string; contact: string; customerId: string },
  { now }: { now: number },
): Promise<void> {
  const customerId = typed.normalize('NFC');
  await lockBot(tx, botId);
  const contactId = await findByAnyId(tx, botId, contact);
  const { count } = await tx`
    update contact_profiles set customer_id = null, updated_at = ${new Date(now)}
    where bot_id = ${botId} and contact_id = ${contactId} and customer_id = ${customerId}`;
  if (contactId === null || count === 0)
    throw new Refusal('UNBIND_FAILED', 'The contact is not bound to that customer.');
  await tell(tx, botId, [unbound(contactId, customerId, now)], { now });
}

async function customerOf(tx: Transaction, botId: string, contactId: string): Promise<string | null> {
  const [row] = await tx<{ customerId: string | null }[]>`
    select customer_id as "customerId" from contact_profiles where bot_id = ${botId} and contact_id = ${contactId}`;
  return row?.customerId ?? null;
}

function rebound(
  { contactId, before, customerId }: { contactId: string; before: string | null; customerId: string },
  at: number,
): Change[] {
  const bound: Change = { type: 'contact.bound', contactId, at, data: { customerId } };
  return before === null ? [bound] : [unbound(contactId, before, at), bound];
}

function unbound(contactId: string, customerId: string, at: number): Change {
  return { type: 'contact.unbound', contactId, at, data: { customerId } };
}

export const attributeNames = [
  'name',
  'remark',
  'userName',
  'userEmail',
  'userPhone',
  'userBirthday',
  'userAddress',
  'headshot',
] as const;
/** What the business says about a contact; null: nothing. */
export type Attributes = Partial<Record<(typeof attributeNames)[number], string | null>>;

/**
 * Sets attributes of a contact and leaves what is not given; the caller holds the bot's lock. A name that is set stays, whatever
 * the platform tells; null gives it back to the platform, which tells it with a later message. Safe to repeat. Throws Refusal
 * INPUT_INVALID for a text that cannot be kept.
 */
export async function setAttributes(
  tx: Transaction,
  { botId, contactId, attributes }: { botId: string; contactId: string; attributes: Attributes },
  { now }: { now: number },
): Promise<void> {
  const changes = Object.entries(attributes).map(([attribute, text]) => {
    checkText(attribute, text);
    return [columnOf(attribute), text?.normalize('NFC') ?? null] as const;
  });
  const values = { ...Object.fromEntries(changes), updated_at: new Date(now) };
  const isNamed = attributes.name !== undefined;
  await tx`
    insert into contact_profiles (bot_id, contact_id, updated_at) values (${botId}, ${contactId}, ${new Date(now)})
    on conflict (bot_id, contact_id) do nothing`;
  await tx`
    update contact_profiles set ${tx(values)}
      ${isNamed ? tx`, name_told_at = ${attributes.name === null ? tx`null` : tx`'infinity'`}` : tx``}
    where bot_id = ${botId} and contact_id = ${contactId}`;
}

function checkText(attribute: string, text: string | null): void {
  // A remark may have lines.
  const forbidden = attribute === 'remark' ? /[^\P{Cc}\n\r\t]|\p{Cs}/u : /[\p{Cc}\p{Cs}]/u;
  if (text === null || !forbidden.test(text)) return;
  throw new Refusal('INPUT_INVALID', `${attribute} must have no control characters.`);
}

/** `userName` is kept as `user_name`. */
function columnOf(attribute: string): string {
  return attribute.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * Hands one contact's profile to another, in the transaction that joins the two and holds the bot's lock: the other one keeps
 * what it has and gets what it lacks; of two names the one told later stays. Safe to repeat.
 */
export async function moveProfile(
  tx: Transaction,
  { botId, fromContactId, toContactId }: { botId: string; fromContactId: string; toContactId: string },
): Promise<void> {
  await tx`
    with handed as (
      delete from contact_profiles where bot_id = ${botId} and contact_id = ${fromContactId} returning *
    )
    insert into contact_profiles as kept (bot_id, contact_id, ${columnNames(tx, profileFields)}, name_told_at, updated_at)
    select bot_id, ${toContactId}, ${columnNames(tx, profileFields)}, name_told_at, updated_at from handed
    on conflict (bot_id, contact_id) do update set
      ${setEach(tx, otherFields, (field) => `coalesce(kept.${field}, excluded.${field})`)},
      name = case when ${isNewerName(tx)} then excluded.name else kept.name end,
      name_told_at = greatest(kept.name_told_at, excluded.name_told_at),
      updated_at = greatest(kept.updated_at, excluded.updated_at)`;
}

/** What the business knows of a person, as it writes it down. */
export const profileFields = [
  'customer_id',
  'name',
  'headshot',
  'remark',
  'user_name',
  'user_email',
  'user_phone',
  'user_birthday',
  'user_address',
] as const;
export type ProfileField = (typeof profileFields)[number];
/** A contact, and what is to be written; what is left out stays. */
export type ProfileChange = { contactId: string } & Partial<Record<ProfileField, string>>;

/**
 * Writes profiles of different contacts, and tells whom it bound to a customer; gives the number of those that changed. A name
 * counts as told at `now`: one that a platform tells later replaces it. The caller holds the bot's lock. Safe to repeat.
 */
export async function writeProfiles(
  tx: Transaction,
  botId: string,
  changes: readonly ProfileChange[],
  { now }: { now: number },
): Promise<number> {
  const told = changes
    .filter((change) => profileFields.some((field) => change[field] !== undefined))
    .map(composed);
  if (told.length === 0) return 0;
  await tell(tx, botId, await rebindings(tx, botId, told, now), { now });
  const { count } = await tx`
    insert into contact_profiles as kept (bot_id, contact_id, ${columnNames(tx, profileFields)}, name_told_at, updated_at)
    select ${botId}, told.*, case when name is not null then ${new Date(now)}::timestamptz end, ${new Date(now)}
    from ${rowTable(tx, 'told', told, { contact_id: ['text', ({ contactId }) => contactId], ...fieldColumns })}
    on conflict (bot_id, contact_id) do update set
      ${setEach(tx, profileFields, (field) => `coalesce(excluded.${field}, kept.${field})`)},
      name_told_at = case when excluded.name <> kept.name or kept.name is null
        then coalesce(excluded.name_told_at, kept.name_told_at) else kept.name_told_at end,
      updated_at = excluded.updated_at
    where ${tx.unsafe(profileFields.map((field) => `excluded.${field} is not null and excluded.${field} is distinct from kept.${field}`).join(' or '))}`;
  return count;
}

const otherFields = profileFields.filter((field) => field !== 'name');

const fieldColumns: Record<string, Column<ProfileChange>> = Object.fromEntries(
  profileFields.map((field) => [field, ['text', (change) => change[field] ?? null]]),
);

/** For queries: sets each column to the expression of it. */
function setEach(
  tx: Transaction,
  fields: readonly ProfileField[],
  expression: (field: ProfileField) => string,
) {
  return tx.unsafe(fields.map((field) => `${field} = ${expression(field)}`).join(', '));
}

/** The change with its texts composed (NFC), so that a text has one spelling. */
function composed(change: ProfileChange): ProfileChange {
  const texts = profileFields.flatMap((field) => {
    const text = change[field];
    return text === undefined ? [] : [[field, text.normalize('NFC')] as const];
  });
  return { contactId: change.contactId, ...Object.fromEntries(texts) };
}

/** What is to be told of those whose customer is about to change. */
async function rebindings(
  tx: Transaction,
  botId: string,
  changes: readonly ProfileChange[],
  now: number,
): Promise<Change[]> {
  const binding = changes.filter(({ customer_id }) => customer_id !== undefined);
  if (binding.length === 0) return [];
  const rows = await tx<{ contactId: string; customerId: string | null }[]>`
    select contact_id as "contactId", customer_id as "customerId" from contact_profiles
    where bot_id = ${botId} and contact_id = any(${textList(binding.map(({ contactId }) => contactId))}::text[])`;
  const customers = new Map(rows.map(({ contactId, customerId }) => [contactId, customerId]));
  return binding.flatMap(({ contactId, customer_id: customerId = '' }) => {
    const before = customers.get(contactId) ?? null;
    return before === customerId ? [] : rebound({ contactId, before, customerId }, now);
  });
}

/** The name that a platform told of the person behind the id, and when (ms). */
export type ToldName = {
  platform: PlatformName;
  platformContactId: string;
  name: string;
  toldAt: number;
};

/**
 * Keeps the names of known contacts, of each contact the one told last, whatever the order they come in; ids of nobody are
 * left out. The caller holds the bot's lock. Safe to repeat.
 */
export async function keepNames(
  tx: Transaction,
  botId: string,
  names: readonly ToldName[],
  { now }: { now: number },
): Promise<void> {
  if (names.length === 0) return;
  await tx`
    insert into contact_profiles as kept (bot_id, contact_id, name, name_told_at, updated_at)
    select distinct on (contact_id) ${botId}, contact_id, told.name, told.told_at, ${new Date(now)}
    from ${rowTable(tx, 'told', names, {
      platform: ['text', ({ platform }) => platform],
      platform_contact_id: ['text', ({ platformContactId }) => platformContactId],
      name: ['text', ({ name }) => name],
      told_at: ['timestamptz', ({ toldAt }) => toldAt],
    })}
    cross join lateral (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and platform = told.platform and platform_contact_id = told.platform_contact_id limit 1
    ) contact
    order by contact_id, told.told_at desc, told.name collate "C" desc
    on conflict (bot_id, contact_id) do update set name = excluded.name, name_told_at = excluded.name_told_at,
      updated_at = case when kept.name is distinct from excluded.name then excluded.updated_at else kept.updated_at end
    where ${isNewerName(tx)}`;
}

// At the same time the larger one, so that the order in which they come does not show.
function isNewerName(sql: Queryable) {
  return sql`(coalesce(excluded.name_told_at, '-infinity'), coalesce(excluded.name, '') collate "C")
    > (coalesce(kept.name_told_at, '-infinity'), coalesce(kept.name, '') collate "C")`;
}
