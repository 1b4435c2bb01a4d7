/**
 * The reference of the points call: a plain look-up of balances by primary key.
 */
import type { Queryable } from '../src/database/client.ts';

/** The balances of contacts: each contact by its key, and its account by its key. */
export async function pointsBySql(
  sql: Queryable,
  botId: string,
  contactIds: readonly string[],
): Promise<{ contact_id: string; balance: number }[]> {
  return sql`
    select contact.contact_id, account.balance
    from contacts contact
    join point_accounts account on account.bot_id = contact.bot_id and account.contact_id = contact.contact_id
    where contact.bot_id = ${botId} and contact.contact_id = any(${[...contactIds]})`;
}
