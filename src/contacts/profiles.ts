/**
 * Profiles of contacts: the customer of the business, and attributes from platforms and the business. They are separate from contacts
 * and events, and no figure uses them, so deleting one row deletes all of a person's profile.
 *
 * Every writer holds the bot's lock, so that the contact is not merged into another at the same time.
 */
import { lockBot } from '../bots/bots.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type Column, columnNames, rowsOfBot, rowTable } from '../database/row-table.ts';
import { invalidInput, Refusal } from '../errors.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { type Change, enqueueMessages } from '../webhooks-out/outbox.ts';
import { findByAnyId } from './contacts.ts';

export const customerIdLengthMax = 200;

/**
 * Binds a contact (by contact id or its id on a platform) to a customer of the business's own system. A binding to another customer
 * is replaced. Several contacts may be one customer. Idempotent. Throws BOT_NOT_FOUND, BIND_FAILED.
 */
export async function bindCustomer(
  tx: Transaction,
  { botId, contact, customerId }: { botId: string; contact: string; customerId: string },
  { now }: { now: number },
): Promise<void> {
  await lockBot(tx, botId);
  const contactId = await findByAnyId(tx, botId, contact);
  if (contactId === null) throw new Refusal('BIND_FAILED', 'No contact of that id, or more than one.');
  await writeProfiles(tx, botId, [{ contactId, customer_id: customerId }], { now });
}

/** Deletes that binding. Throws BOT_NOT_FOUND, and UNBIND_FAILED when the binding does not exist. */
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
  await enqueueMessages(tx, botId, [unbound(contactId, customerId, now)], { now });
}

function unbound(contactId: string, customerId: string, at: number): Change {
  return { type: 'contact.unbound', contactId, at, data: { customerId } };
}

/** The members of a profile and their columns. */
const profileColumns = {
  customerId: 'customer_id',
  name: 'name',
  headshot: 'headshot',
  remark: 'remark',
  userName: 'user_name',
  userEmail: 'user_email',
  userPhone: 'user_phone',
  userBirthday: 'user_birthday',
  userAddress: 'user_address',
} as const;
type AttributeName = Exclude<keyof typeof profileColumns, 'customerId'>;
export type ProfileField = (typeof profileColumns)[keyof typeof profileColumns];
export const profileFields: readonly ProfileField[] = Object.values(profileColumns);

/** A profile as the platform reports it, ready to be stored. Null: it reports none. */
export type PlatformProfile = {
  name: string | null;
  /** The person's unique name on the platform, such as an Instagram user name. */
  accountName: string | null;
  /** The address of the picture at the platform. */
  pictureUrl: string | null;
  /** A BCP 47 tag. */
  language: string | null;
  statusMessage: string | null;
};
const platformFields = ['account_name', 'picture_url', 'language', 'status_message'] as const;
type StoredField = ProfileField | (typeof platformFields)[number];
const storedFields: readonly StoredField[] = [...profileFields, ...platformFields];

const attributeNames = Object.keys(profileColumns).filter(
  (name): name is AttributeName => name !== 'customerId',
);

/** Attributes that the business records about a contact; null deletes one. */
export type Attributes = Partial<Record<AttributeName, string | null>>;

/**
 * Sets attributes of a contact; missing ones stay. The caller holds the bot's lock. A name that the business sets takes precedence
 * over the platform's; null restores the platform's with a later message. Idempotent. Throws Refusal INPUT_INVALID for a text that
 * cannot be stored.
 */
export async function setAttributes(
  tx: Transaction,
  { botId, contactId, attributes }: { botId: string; contactId: string; attributes: Attributes },
  { now }: { now: number },
): Promise<void> {
  const changes = attributeNames.flatMap((name) => {
    const text = attributes[name];
    if (text === undefined) return [];
    checkText(name, text);
    return [[profileColumns[name], text?.normalize('NFC') ?? null] as const];
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
  // A remark may have line breaks.
  const forbidden = attribute === 'remark' ? /[^\P{Cc}\n\r\t]|\p{Cs}/u : /[\p{Cc}\p{Cs}]/u;
  if (text === null || !forbidden.test(text)) return;
  throw invalidInput(`${attribute} must have no control characters.`);
}

/**
 * Moves one contact's profile to another, in the transaction that merges the two and holds the bot's lock. The other contact keeps its
 * values and receives those it lacks; of two names the later one stays. Idempotent.
 */
export async function moveProfile(
  tx: Transaction,
  { botId, fromContactId, toContactId }: { botId: string; fromContactId: string; toContactId: string },
): Promise<void> {
  await tx`
    with moved as (
      delete from contact_profiles where bot_id = ${botId} and contact_id = ${fromContactId} returning *
    )
    insert into contact_profiles as kept (bot_id, contact_id, ${columnNames(tx, storedFields)}, name_told_at, updated_at)
    select bot_id, ${toContactId}, ${columnNames(tx, storedFields)}, name_told_at, updated_at from moved
    on conflict (bot_id, contact_id) do update set
      ${setEach(tx, otherFields, (field) => `coalesce(kept.${field}, excluded.${field})`)},
      name = case when ${isNewerName(tx)} then excluded.name else kept.name end,
      name_told_at = greatest(kept.name_told_at, excluded.name_told_at),
      updated_at = greatest(kept.updated_at, excluded.updated_at)`;
}

/** The values to write for a contact; missing ones stay. */
export type ProfileChange = { contactId: string } & Partial<Record<ProfileField, string>>;

/**
 * Writes profiles of different contacts, dispatches their new customer bindings, and returns the number of changed profiles. A name
 * counts as reported at `now`: a later name from a platform replaces it. The caller holds the bot's lock. Idempotent.
 */
export async function writeProfiles(
  tx: Transaction,
  botId: string,
  changes: readonly ProfileChange[],
  { now }: { now: number },
): Promise<number> {
  const written = changes
    .filter((change) => profileFields.some((field) => change[field] !== undefined))
    .map(composed);
  if (written.length === 0) return 0;
  await enqueueMessages(tx, botId, await rebindings(tx, botId, written, now), { now });
  const { count } = await tx`
    insert into contact_profiles as kept (bot_id, contact_id, ${columnNames(tx, profileFields)}, name_told_at, updated_at)
    select new.*, case when name is not null then ${new Date(now)}::timestamptz end, ${new Date(now)}
    from ${rowsOfBot(tx, 'new', botId, {
      list: written,
      columns: { contact_id: ['text', ({ contactId }) => contactId], ...fieldColumns },
    })}
    on conflict (bot_id, contact_id) do update set
      ${setEach(tx, profileFields, (field) => `coalesce(excluded.${field}, kept.${field})`)},
      name_told_at = case when excluded.name <> kept.name or kept.name is null
        then coalesce(excluded.name_told_at, kept.name_told_at) else kept.name_told_at end,
      updated_at = excluded.updated_at
    where ${tx.unsafe(profileFields.map((field) => `excluded.${field} is not null and excluded.${field} is distinct from kept.${field}`).join(' or '))}`;
  return count;
}

const otherFields = storedFields.filter((field) => field !== 'name');

const fieldColumns: Record<string, Column<ProfileChange>> = Object.fromEntries(
  profileFields.map((field) => [field, ['text', (change) => change[field] ?? null]]),
);

/** For queries: sets each column to the expression of it. */
function setEach(
  tx: Transaction,
  fields: readonly StoredField[],
  expression: (field: StoredField) => string,
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

/** The webhook messages about contacts whose customer changes. */
async function rebindings(
  tx: Transaction,
  botId: string,
  changes: readonly ProfileChange[],
  now: number,
): Promise<Change[]> {
  const bindings = changes.filter(({ customer_id }) => customer_id !== undefined);
  if (bindings.length === 0) return [];
  const rows = await tx<{ contactId: string; customerId: string | null }[]>`
    select contact_id as "contactId", customer_id as "customerId" from contact_profiles
    where bot_id = ${botId} and contact_id = any(${textList(bindings.map(({ contactId }) => contactId))}::text[])`;
  const customers = new Map(rows.map(({ contactId, customerId }) => [contactId, customerId]));
  return bindings.flatMap(({ contactId, customer_id: customerId = '' }) => {
    const before = customers.get(contactId) ?? null;
    if (before === customerId) return [];
    const bound: Change = { type: 'contact.bound', contactId, at: now, data: { customerId } };
    return before === null ? [bound] : [unbound(contactId, before, now), bound];
  });
}

/** A name that a platform reported for a contact, and when (ms). */
export type ReportedName = {
  platform: PlatformName;
  platformContactId: string;
  name: string;
  reportedAt: number;
};

/**
 * Stores the latest name of each contact, in any order of arrival; names for unknown ids are left out. The caller holds the bot's lock.
 * Idempotent.
 */
export async function writeNames(
  tx: Transaction,
  botId: string,
  names: readonly ReportedName[],
  { now }: { now: number },
): Promise<void> {
  if (names.length === 0) return;
  await tx`
    insert into contact_profiles as kept (bot_id, contact_id, name, name_told_at, updated_at)
    select distinct on (contact_id) ${botId}, contact_id, new.name, new.reported_at, ${new Date(now)}
    from ${rowTable(tx, 'new', names, {
      platform: ['text', ({ platform }) => platform],
      platform_contact_id: ['text', ({ platformContactId }) => platformContactId],
      name: ['text', ({ name }) => name],
      reported_at: ['timestamptz', ({ reportedAt }) => reportedAt],
    })}
    cross join lateral (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and platform = new.platform and platform_contact_id = new.platform_contact_id limit 1
    ) contact
    order by contact_id, new.reported_at desc, new.name collate "C" desc
    on conflict (bot_id, contact_id) do update set name = excluded.name, name_told_at = excluded.name_told_at,
      updated_at = case when kept.name is distinct from excluded.name then excluded.updated_at else kept.updated_at end
    where ${isNewerName(tx)}`;
}

/**
 * Writes profiles of different contacts as the platform reports them now. A name that the business set stays; other values of the
 * platform are replaced, a missing name excepted. The caller holds the bot's lock. Idempotent.
 */
export async function writePlatformProfiles(
  tx: Transaction,
  botId: string,
  profiles: readonly ({ contactId: string } & PlatformProfile)[],
  { now }: { now: number },
): Promise<void> {
  if (profiles.length === 0) return;
  const reported = tx.unsafe(platformFields.join(', '));
  await tx`
    insert into contact_profiles as kept (bot_id, contact_id, name, ${reported}, name_told_at, updated_at)
    select ${botId}, new.*, case when name is not null then ${new Date(now)}::timestamptz end, ${new Date(now)}
    from ${rowTable(tx, 'new', profiles, {
      contact_id: ['text', ({ contactId }) => contactId],
      name: ['text', ({ name }) => name],
      account_name: ['text', ({ accountName }) => accountName],
      picture_url: ['text', ({ pictureUrl }) => pictureUrl],
      language: ['text', ({ language }) => language],
      status_message: ['text', ({ statusMessage }) => statusMessage],
    })}
    on conflict (bot_id, contact_id) do update set
      name = case when ${isNewerName(tx)} then excluded.name else kept.name end,
      name_told_at = greatest(kept.name_told_at, excluded.name_told_at),
      ${setEach(tx, platformFields, (field) => `excluded.${field}`)},
      updated_at = excluded.updated_at
    where (${isNewerName(tx)} and excluded.name is distinct from kept.name)
      or ${tx.unsafe(platformFields.map((field) => `excluded.${field} is distinct from kept.${field}`).join(' or '))}`;
}

// Of names of the same time the larger one is newer, so that the order of arrival does not matter.
function isNewerName(sql: Queryable) {
  return sql`(coalesce(excluded.name_told_at, '-infinity'), coalesce(excluded.name, '') collate "C")
    > (coalesce(kept.name_told_at, '-infinity'), coalesce(kept.name, '') collate "C")`;
}
