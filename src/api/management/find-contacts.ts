/**
 * Contacts of a call by ids of any kind.
 */
import { findByAnyIds } from '../../contacts/contacts.ts';
import type { Queryable } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';

const examplesMax = 5;

/** The contacts with these ids, in their order. Throws Refusal CONTACT_NOT_FOUND, naming some unknown or ambiguous ids. */
export async function findAllContacts(
  sql: Queryable,
  botId: string,
  ids: readonly string[],
): Promise<string[]> {
  const contacts = await findByAnyIds(sql, botId, [...new Set(ids)]);
  const unknown = ids.filter((id) => !contacts.has(id));
  if (unknown.length === 0) return ids.flatMap((id) => contacts.get(id) ?? []);
  const examples = unknown.slice(0, examplesMax).map((id) => JSON.stringify(id));
  const more = unknown.length > examplesMax ? ` and ${unknown.length - examplesMax} more` : '';
  throw new Refusal(
    'CONTACT_NOT_FOUND',
    `The bot knows no contact, or several, by ${examples.join(', ')}${more}. Nothing was changed.`,
  );
}
