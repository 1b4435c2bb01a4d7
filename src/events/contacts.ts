/**
 * Contacts: one person on one channel. The contact id is the encoded client id that callers see: random, so that it tells
 * nothing and cannot be guessed into another bot; every look-up carries the bot.
 *
 * One person may have two ids on a platform (WhatsApp: user id and telephone number). The second one then stands as a row of
 * its own whose `merged_into` points at the contact; both ids, and both encoded ids, go on finding the person.
 */
import type { Queryable } from '../database/database.ts';
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
  const rows = await sql<{ platform_contact_id: string; contact_id: string }[]>`
    select platform_contact_id, coalesce(merged_into, contact_id) as contact_id
    from contacts
    where bot_id = ${botId} and platform = ${platform} and platform_contact_id = any(${platformContactIds as string[]})`;
  return new Map(rows.map((row) => [row.platform_contact_id, row.contact_id]));
}

/** Adds contacts that are not there yet, and gives their number; those that are stay as they are. Safe to repeat. */
export async function createContacts(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
  platformContactIds: readonly string[],
  { now, random }: { now: number; random: Random },
): Promise<number> {
  const contactIds = platformContactIds.map(() => newId(random));
  const { count } = await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, contact_id, ${platform}, platform_contact_id, ${new Date(now)}
    from unnest(${contactIds}::text[], ${platformContactIds as string[]}::text[]) as new (contact_id, platform_contact_id)
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
  // Each look-up names one key and no more, so that the planner cannot take it for a walk through a platform.
  const rows = await sql<{ contactId: string; encoded: boolean }[]>`
    select contact.contact_id as "contactId", true as encoded from (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and contact_id = ${id} limit 1
    ) contact
    union all
    select contact.contact_id, false
    from unnest(${platformNames as readonly string[] as string[]}::text[]) as asked (platform)
    cross join lateral (
      select coalesce(merged_into, contact_id) as contact_id from contacts
      where bot_id = ${botId} and platform = asked.platform and platform_contact_id = ${id} limit 1
    ) contact`;
  const encoded = rows.find((row) => row.encoded);
  if (encoded) return encoded.contactId;
  return rows.length === 1 ? (rows[0]?.contactId ?? null) : null;
}
