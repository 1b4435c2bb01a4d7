/**
 * Contacts: one person on one channel. The contact id is the encoded client id that callers see: random, so that it tells
 * nothing and cannot be guessed into another bot; every look-up carries the bot.
 *
 * One person may have two ids on a platform (WhatsApp: user id and telephone number). The second one then stands as a row of
 * its own whose `merged_into` points at the contact; both ids, and both encoded ids, go on finding the person.
 */
import type { Queryable } from '../database/database.ts';
import type { PlatformName } from '../platforms/platform.ts';
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

/** Adds contacts that are not there yet; those that are stay as they are. Safe to repeat. */
export async function createContacts(
  sql: Queryable,
  botId: string,
  platform: PlatformName,
  platformContactIds: readonly string[],
  { now, random }: { now: number; random: Random },
): Promise<void> {
  const contactIds = platformContactIds.map(() => newId(random));
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, contact_id, ${platform}, platform_contact_id, ${new Date(now)}
    from unnest(${contactIds}::text[], ${platformContactIds as string[]}::text[]) as new (contact_id, platform_contact_id)
    on conflict (bot_id, platform, platform_contact_id) do nothing`;
}
