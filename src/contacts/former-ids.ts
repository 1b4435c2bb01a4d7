/**
 * Ids that contacts had at another system, such as MantaGo's encoded ids. Every look-up by contact id accepts them.
 *
 * A former id is a row of `contacts` that is merged into the contact, like a second id of a person, so no look-up needs to know of
 * former ids (docs/decisions/0017-former-ids-are-merged-contacts.md). Its id on the platform contains a space, as no platform's does.
 */
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowsOfBot } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';

export type FormerId = { formerId: string; contactId: string; platform: PlatformName };

const prefix = 'former ';
const form = /^\w{1,64}$/;

/** Whether a text can be a former id. */
export function isFormerIdForm(text: string): boolean {
  return form.test(text);
}

/** For queries over `contacts`: whether the row is a former id and no id on the platform. */
export function isFormerId(sql: Queryable): Fragment {
  return sql`platform_contact_id like ${`${prefix}%`}`;
}

/**
 * Adds former ids of contacts that are not merged into others. The caller holds the bot's lock. Returns the ids that already lead to
 * another contact, or to a deleted one; these stay as they are. Idempotent.
 */
export async function addFormerIds(
  tx: Transaction,
  botId: string,
  ids: readonly FormerId[],
  { now }: { now: number },
): Promise<{ added: number; taken: FormerId[] }> {
  if (ids.length === 0) return { added: 0, taken: [] };
  const columns = {
    contact_id: ['text', ({ formerId }: FormerId) => formerId],
    platform: ['text', ({ platform }: FormerId) => platform],
    platform_contact_id: ['text', ({ formerId }: FormerId) => `${prefix}${formerId}`],
    merged_into: ['text', ({ contactId }: FormerId) => contactId],
  } as const;
  const { count: added } = await tx`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, merged_into, created_at)
    select new.*, ${new Date(now)}::timestamptz from ${rowsOfBot(tx, 'new', botId, { list: ids, columns })}
    on conflict do nothing`;
  const rows = await tx<{ formerId: string; contactId: string }[]>`
    select contact_id as "formerId", coalesce(merged_into, contact_id) as "contactId" from contacts
    where bot_id = ${botId} and contact_id = any (${textList(ids.map(({ formerId }) => formerId))}::text[])`;
  const owners = new Map(rows.map(({ formerId, contactId }) => [formerId, contactId]));
  return { added, taken: ids.filter(({ formerId, contactId }) => owners.get(formerId) !== contactId) };
}
