/**
 * Invitations: links that let a person create the own user, with the scope and the bots that the inviting user chose. A link works
 * once, until its expiry. Its token is 32 random bytes; only its SHA-256 is stored.
 */
import { createHash } from 'node:crypto';
import type { Queryable, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { dayMs } from '../time.ts';
import type { AdminScope } from './admin-tokens.ts';
import { beginAttempt, takeBack } from './attempts.ts';
import { openSession } from './sessions.ts';
import type { SignInSources } from './sign-in.ts';
import { createUser } from './users.ts';

export type Invitation = {
  invitationId: string;
  scope: AdminScope;
  /** Null: all bots. */
  botIds: readonly string[] | null;
  createdBy: string;
  createdAt: Date;
  expiresAt: Date;
};

const tokenBytes = 32;

/** Creates an invitation that is valid for `days`. Returns the token of its link, only here. The caller has checked the bots. */
export async function createInvitation(
  sql: Queryable,
  {
    scope,
    botIds,
    creator,
    days,
  }: Pick<Invitation, 'scope' | 'botIds'> & { creator: { id: string; name: string }; days: number },
  { now, random }: { now: number; random: Random },
): Promise<Invitation & { token: string }> {
  const token = Buffer.from(random(tokenBytes)).toString('base64url');
  const invitation = {
    ...{ invitationId: newId(random), scope, createdBy: creator.name },
    botIds: botIds === null ? null : [...new Set(botIds)].sort(),
    ...{ createdAt: new Date(now), expiresAt: new Date(now + days * dayMs) },
  };
  const { invitationId, createdAt, expiresAt } = invitation;
  await sql`
    insert into invitations (invitation_id, token_hash, scope, bot_ids, created_by, creator_id, created_at, expires_at)
    values (${invitationId}, ${hashOf(token)}, ${scope}, ${invitation.botIds}::text[], ${creator.name}, ${creator.id}, ${createdAt}, ${expiresAt})`;
  return { ...invitation, token };
}

/** The valid invitations, newest first. */
export async function listInvitations(sql: Queryable, { now }: { now: number }): Promise<Invitation[]> {
  return sql<Invitation[]>`
    select invitation_id as "invitationId", scope, bot_ids as "botIds", created_by as "createdBy", created_at as "createdAt",
      expires_at as "expiresAt"
    from invitations where expires_at > ${new Date(now)} order by created_at desc, invitation_id`;
}

/** Ends an invitation at once. Throws Refusal INVITATION_NOT_FOUND. */
export async function removeInvitation(tx: Transaction, invitationId: string): Promise<void> {
  const { count } = await tx`delete from invitations where invitation_id = ${invitationId}`;
  if (count === 0) refuseUnknown(invitationId);
}

export function refuseUnknown(invitationId: string): never {
  throw new Refusal('INVITATION_NOT_FOUND', `There is no invitation ${invitationId}.`);
}

/** Deletes expired invitations. */
export async function purgeInvitations(sql: Queryable, { now }: { now: number }): Promise<void> {
  await sql`delete from invitations where expires_at <= ${new Date(now)}`;
}

type Use = {
  token: string;
  name: string;
  password: string;
  address: string;
  browser: string | null;
  now: number;
};

/**
 * Creates the user of an invitation and opens a session. Returns the token for the cookie. After a refusal of the name or the password
 * the link stays valid. An invalid link counts as a failed sign-in. Throws Refusal INVITATION_INVALID, SIGN_IN_LIMITED, INPUT_INVALID,
 * USER_EXISTS, BOT_NOT_FOUND.
 */
export async function acceptInvitation(
  { sql, passwords, attemptKey, random }: SignInSources,
  { token, name, password, address, browser, now }: Use,
): Promise<string> {
  const attempt = await beginAttempt(sql, { name: null, address }, { now, key: attemptKey });
  const isValid = sql`token_hash = ${hashOf(token)} and expires_at > ${new Date(now)}`;
  const [found] = await sql`select from invitations where ${isValid}`;
  if (!found) refuseInvalid();
  await takeBack(sql, attempt, { forget: false });
  const { session } = await sql.begin(async (tx) => {
    const [invitation] = await tx<Pick<Invitation, 'scope' | 'botIds'>[]>`
      delete from invitations where ${isValid} returning scope, bot_ids as "botIds"`;
    // Another call has used the link.
    if (!invitation) refuseInvalid();
    const { userId } = await createUser(tx, { name, password, ...invitation }, { now, random, passwords });
    await tx`update users set last_sign_in_at = ${new Date(now)} where user_id = ${userId}`;
    return {
      userId,
      session: await openSession(tx, { userId }, { now, random, origin: { address, browser } }),
    };
  });
  return session;
}

function refuseInvalid(): never {
  throw new Refusal(
    'INVITATION_INVALID',
    'The invitation has expired, was used or was withdrawn. Ask for a new one.',
  );
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
