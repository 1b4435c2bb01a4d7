/**
 * Contacts: one person on one channel. The contact id is the encoded client id that callers see: random, so that it tells
 * nothing and cannot be guessed into another bot; every look-up carries the bot.
 *
 * One person may have two ids on a platform (WhatsApp: user id and telephone number). The second one then stands as a row of
 * its own whose `merged_into` points at the contact; both ids, and both encoded ids, go on finding the person.
 *
 * Rows with `forgotten_at` are nobody's: what somebody who was forgotten did counts for one of them, and no id leads to any.
 */
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import { normalContactId } from '../platforms/contact-ids.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { newId, type Random } from '../random.ts';

/**
 * The contacts behind ids on a platform; ids that the bot does not know are left out.
 * Gives platform's id → contact id, second ids already led to their contact.
 */
export async function findContacts(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
  platformContactIds: readonly string[],
): Promise<Map<string, string>> {
  const asked = new Map(platformContactIds.map((id) => [id, normalContactId(platform, id)]));
  const rows = await sql<{ platform_contact_id: string; contact_id: string }[]>`
    select platform_contact_id, coalesce(merged_into, contact_id) as contact_id
    from contacts
    where bot_id = ${botId} and platform = ${platform} and platform_contact_id = any(${textList([...asked.values()])}::text[])`;
  const found = new Map(rows.map((row) => [row.platform_contact_id, row.contact_id]));
  return new Map(
    [...asked].flatMap(([id, stored]) => {
      const contactId = found.get(stored);
      return contactId === undefined ? [] : [[id, contactId] as const];
    }),
  );
}

/** Adds contacts that are not there yet, and gives their number; those that are stay as they are. Safe to repeat. */
export async function createContacts(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
  platformContactIds: readonly string[],
  { now, random }: { now: number; random: Random },
): Promise<number> {
  const { count } = await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, contact_id, ${platform}, platform_contact_id, ${new Date(now)}
    from ${rowTable(sql, 'new', platformContactIds, {
      contact_id: ['text', () => newId(random)],
      platform_contact_id: ['text', (id) => id],
    })}
    on conflict (bot_id, platform, platform_contact_id) do nothing`;
  return count;
}

/** A contact as a caller names it: by either id of ours or the platform's alone, or by its id on a platform that is told. */
export type NamedContact = { id: string | null; onPlatform: { platform: PlatformName; id: string } | null };

/** The contact that is named, second ids led to their contact; `id` goes first. Null: the bot knows nobody of that name. */
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

/**
 * The contact with the encoded id, else the only one with that id on any platform. Null: there is none, or several platforms
 * have one each.
 */
export async function findByAnyId(sql: Queryable, botId: string, id: string): Promise<string | null> {
  return (await findByAnyIds(sql, botId, [id])).get(id) ?? null;
}

/** The same for many ids: id → contact id; those that lead to nobody, or not to one, are left out. */
export async function findByAnyIds(
  sql: Queryable,
  botId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const onPlatforms = ids.flatMap((id) =>
    platformNames.map((platform) => ({ id, platform, storedId: normalContactId(platform, id) })),
  );
  // Each look-up names one key and no more, so that the planner cannot take it for a walk through a platform.
  const rows = await sql<{ id: string; contactId: string; encoded: boolean }[]>`
    select asked.id, contact.contact_id as "contactId", true as encoded
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
  const found = new Map<string, string>();
  for (const [id, named] of Map.groupBy(rows, (row) => row.id)) {
    const only = named.find(({ encoded }) => encoded) ?? (named.length === 1 ? named[0] : undefined);
    if (only) found.set(id, only.contactId);
  }
  return found;
}

/** A contact and the id by which its platform names it. */
export type KnownContact = { contactId: string; platform: PlatformName; platformContactId: string };

/** The contact that an encoded id stands for. Throws Refusal CONTACT_NOT_FOUND. */
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

/** The person behind a contact, with every id by which the platform names the person: joined contacts have several. */
export type Person = { contactId: string; platform: PlatformName; ids: string[] };

/** Null: the person was forgotten. Throws Refusal CONTACT_NOT_FOUND for an encoded id that the bot never gave out. */
export async function findPerson(sql: Queryable, botId: string, contactId: string): Promise<Person | null> {
  const rows = await sql<{ contactId: string; platform: PlatformName; id: string; forgotten: boolean }[]>`
    select person.contact_id as "contactId", person.platform, person.platform_contact_id as id,
      person.forgotten_at is not null as forgotten
    from (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and contact_id = ${contactId} limit 1
    ) asked
    join contacts person on person.bot_id = ${botId}
      and (person.contact_id = asked.contact_id or person.merged_into = asked.contact_id)
    order by person.merged_into nulls first, person.contact_id`;
  const [first] = rows;
  if (!first) throw contactNotFound(contactId);
  if (first.forgotten) return null;
  return { contactId: first.contactId, platform: first.platform, ids: rows.map(({ id }) => id) };
}

/** The same. Throws Refusal CONTACT_NOT_FOUND for a forgotten person, too. */
export async function requirePerson(sql: Queryable, botId: string, contactId: string): Promise<Person> {
  const person = await findPerson(sql, botId, contactId);
  if (person) return person;
  throw contactNotFound(contactId);
}

function contactNotFound(contactId: string): Refusal {
  return new Refusal('CONTACT_NOT_FOUND', `The bot knows no contact ${contactId}.`);
}
