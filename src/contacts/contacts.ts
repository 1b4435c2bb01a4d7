/**
 * Contacts: one person on one channel. The contact id is the encoded client id that callers see. It is random, so it reveals nothing
 * and cannot be guessed; every look-up carries the bot.
 *
 * One person may have two ids on a platform (WhatsApp: user id and telephone number). The second id has a row of its own, whose
 * `merged_into` is the contact. Both ids, and both contact ids, find the person. Ids from another system are such rows, too
 * (former-ids.ts).
 *
 * Rows with `forgotten_at` are anonymous contacts: the figures of deleted contacts count for them, and no id finds them.
 */
import type { Queryable } from '../database/client.ts';
import { toDate } from '../database/instants.ts';
import { textList } from '../database/lists.ts';
import { rowsOfBot, rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import { normalContactId } from '../platforms/contact-ids.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { newId, type Random } from '../random.ts';
import { isFormerId } from './former-ids.ts';
import { profileDue } from './profile-queue.ts';

/** The contacts with these ids on a platform: the platform's id → contact id. Unknown ids are left out. */
export async function findContacts(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
  platformContactIds: readonly string[],
): Promise<Map<string, string>> {
  const storedIds = new Map(platformContactIds.map((id) => [id, normalContactId(platform, id)]));
  const rows = await sql<{ platform_contact_id: string; contact_id: string }[]>`
    select platform_contact_id, coalesce(merged_into, contact_id) as contact_id
    from contacts
    where bot_id = ${botId} and platform = ${platform} and platform_contact_id = any(${textList([...storedIds.values()])}::text[])`;
  const contactIds = new Map(rows.map((row) => [row.platform_contact_id, row.contact_id]));
  return new Map(
    [...storedIds].flatMap(([id, storedId]) => {
      const contactId = contactIds.get(storedId);
      return contactId === undefined ? [] : [[id, contactId] as const];
    }),
  );
}

/**
 * Adds the contacts that do not exist, and returns their number. Their profiles are fetched first, or at `profilesAt` (ms): after those
 * of people who write before. Idempotent.
 */
export async function createContacts(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
  platformContactIds: readonly string[],
  { now, random, profilesAt }: { now: number; random: Random; profilesAt?: number },
): Promise<number> {
  const first = profileDue(platform);
  const dueAt = first === null ? null : (profilesAt ?? first);
  const { count } = await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at, profile_due_at)
    select bot_id, contact_id, ${platform}, platform_contact_id, ${new Date(now)}, ${toDate(dueAt)}
    from ${rowsOfBot(sql, 'new', botId, {
      list: platformContactIds,
      columns: {
        contact_id: ['text', () => newId(random)],
        platform_contact_id: ['text', (id) => id],
      },
    })}
    on conflict (bot_id, platform, platform_contact_id) do nothing`;
  return count;
}

/** A contact as a caller names it: by contact id or by an id on any platform (`id`), or by its id on one platform. */
export type NamedContact = { id: string | null; onPlatform: { platform: PlatformName; id: string } | null };

/** The contact id of the named contact; `id` takes precedence. Null: the bot has no such contact. */
export async function findNamed(
  sql: Queryable,
  botId: string,
  { id, onPlatform }: NamedContact,
): Promise<string | null> {
  const byId = id === null ? null : await findByAnyId(sql, botId, id);
  if (byId !== null || onPlatform === null) return byId;
  const found = await findContacts(sql, botId, onPlatform.platform, [onPlatform.id]);
  return found.get(onPlatform.id) ?? null;
}

/** The contact with the contact id, else the only one with that id on any platform. Null: none, or one on several platforms. */
export async function findByAnyId(sql: Queryable, botId: string, id: string): Promise<string | null> {
  return (await findByAnyIds(sql, botId, [id])).get(id) ?? null;
}

/** The same for many ids: id → contact id. Ids of no contact, or of several, are left out. */
export async function findByAnyIds(
  sql: Queryable,
  botId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const onPlatforms = ids.flatMap((id) =>
    platformNames.map((platform) => ({ id, platform, storedId: normalContactId(platform, id) })),
  );
  // Each look-up compares one key, so that the planner does not scan a platform instead.
  const rows = await sql<{ id: string; contactId: string; isContactId: boolean }[]>`
    select asked.id, contact.contact_id as "contactId", true as "isContactId"
    from ${rowTable(sql, 'asked', ids, { id: ['text', (id) => id] })}
    cross join lateral (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and contact_id = asked.id and forgotten_at is null limit 1
    ) contact
    union all
    select asked.id, contact.contact_id, false
    from ${rowTable(sql, 'asked', onPlatforms, {
      id: ['text', ({ id }) => id],
      platform: ['text', ({ platform }) => platform],
      stored_id: ['text', ({ storedId }) => storedId],
    })}
    cross join lateral (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and platform = asked.platform and platform_contact_id = asked.stored_id limit 1
    ) contact`;
  const contactIds = new Map<string, string>();
  for (const [id, ofId] of Map.groupBy(rows, (row) => row.id)) {
    const only = ofId.find(({ isContactId }) => isContactId) ?? (ofId.length === 1 ? ofId[0] : undefined);
    if (only) contactIds.set(id, only.contactId);
  }
  return contactIds;
}

/** A contact with its id on the platform. */
export type KnownContact = { contactId: string; platform: PlatformName; platformContactId: string };

/** The contact with a contact id. Throws Refusal CONTACT_NOT_FOUND. */
export async function findContact(sql: Queryable, botId: string, contactId: string): Promise<KnownContact> {
  const [contact] = await sql<KnownContact[]>`
    select person.contact_id as "contactId", person.platform, person.platform_contact_id as "platformContactId"
    from (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and contact_id = ${contactId} and forgotten_at is null limit 1
    ) asked
    join contacts person on person.bot_id = ${botId} and person.contact_id = asked.contact_id`;
  if (contact) return contact;
  throw contactNotFound(contactId);
}

/** The person of a contact, with all ids of the person on the platform: merged contacts have several. */
export type Person = { contactId: string; platform: PlatformName; ids: string[] };

/** Null: the contact was deleted. Throws Refusal CONTACT_NOT_FOUND for an unknown contact id. */
export async function findPerson(sql: Queryable, botId: string, contactId: string): Promise<Person | null> {
  const rows = await sql<{ contactId: string; platform: PlatformName; id: string; isDeleted: boolean }[]>`
    select person.contact_id as "contactId", person.platform, person.platform_contact_id as id,
      person.forgotten_at is not null as "isDeleted"
    from (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and contact_id = ${contactId} limit 1
    ) asked
    join contacts person on person.bot_id = ${botId}
      and (person.contact_id = asked.contact_id or person.merged_into = asked.contact_id and not ${isFormerId(sql)})
    order by person.merged_into nulls first, person.contact_id`;
  const [first] = rows;
  if (!first) throw contactNotFound(contactId);
  if (first.isDeleted) return null;
  return { contactId: first.contactId, platform: first.platform, ids: rows.map(({ id }) => id) };
}

/** The same. Throws Refusal CONTACT_NOT_FOUND for a deleted contact, too. */
export async function requirePerson(sql: Queryable, botId: string, contactId: string): Promise<Person> {
  const person = await findPerson(sql, botId, contactId);
  if (person) return person;
  throw contactNotFound(contactId);
}

function contactNotFound(contactId: string): Refusal {
  return new Refusal('CONTACT_NOT_FOUND', `The bot knows no contact ${contactId}.`);
}
