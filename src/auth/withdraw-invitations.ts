/** The end of invitations; apart from invitations.ts, which creates users. */
import type { Queryable } from '../database/client.ts';

/** Ends the invitations of a user or an admin token that loses rights: they must not give these rights. Safe to repeat. */
export async function withdrawInvitations(sql: Queryable, creatorId: string): Promise<void> {
  await sql`delete from invitations where creator_id = ${creatorId}`;
}
