/**
 * The search of a bot's contacts, tags and sends by a part of a name or by an id. Each group has a bounded number of results, and one
 * statement reads all groups.
 */
import type { components } from '../../contracts/types/management.ts';
import type { Sql } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { normalContactId } from '../platforms/contact-ids.ts';
import { platformNames } from '../platforms/platform.ts';
import { limitStatementTime, readSnapshot } from './timeouts.ts';

export type SearchResults = Omit<components['schemas']['SearchResults'], 'botId'>;

/** Of each group. */
const resultsMax = 8;

/** Returns the matches, in upper or lower case. Throws Refusal READ_TOO_LONG. */
export async function search(sql: Sql, botId: string, text: string): Promise<SearchResults> {
  const part = text.normalize('NFC');
  // Ids of platforms have one form each. Of a send, the number is the id.
  const sendId = /^\d{1,15}$/.test(text) ? Number(text) : null;
  return readSnapshot(sql, async (tx) => {
    await limitStatementTime(tx);
    const ids = rowTable(tx, 'form', platformNames, {
      platform: ['text', (platform) => platform],
      id: ['text', (platform) => normalContactId(platform, text)],
    });
    const [row] = await tx<[SearchResults]>`
      select
        (select coalesce(json_agg(found), '[]') from (
          select contact.contact_id as "contactId", contact.platform, contact.platform_contact_id as "platformContactId", profile.name
          from (
            (select contacts.contact_id from ${ids}
              join contacts on contacts.bot_id = ${botId} and contacts.platform = form.platform
                and contacts.platform_contact_id = form.id)
            union
            select contact_id from contacts where bot_id = ${botId} and contact_id = ${text}
            union
            (select contact_id from contact_profiles
              where bot_id = ${botId} and strpos(lower(name), lower(${part})) > 0 limit ${resultsMax})
          ) matched
          join contacts contact on contact.bot_id = ${botId} and contact.contact_id = matched.contact_id
          left join contact_profiles profile on profile.bot_id = ${botId} and profile.contact_id = matched.contact_id
          where contact.merged_into is null and contact.forgotten_at is null
          order by profile.name, contact.contact_id limit ${resultsMax}
        ) found) as contacts,
        (select coalesce(json_agg(found), '[]') from (
          select tag_id as "tagId", kind, name from tags
          where bot_id = ${botId} and strpos(lower(name), lower(${part})) > 0
          order by name limit ${resultsMax}
        ) found) as tags,
        (select coalesce(json_agg(found), '[]') from (
          select send_id as "sendId", name from sends
          where bot_id = ${botId} and (strpos(lower(name), lower(${part})) > 0 or send_id = ${sendId}::bigint)
          order by send_id desc limit ${resultsMax}
        ) found) as sends`;
    return row;
  });
}
