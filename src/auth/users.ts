/**
 * Users sign in with a name and a password, for one bot, several or all, with the scope read, write or admin.
 *
 * Names are compared in lower case and NFKC. Each call reads the user's rights, so changes and removal take effect at once. A new
 * password ends the user's sessions.
 */

import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import type { AdminScope } from './admin-tokens.ts';
import { checkChoice, type Passwords } from './passwords.ts';
import { endSessionsOf } from './sessions.ts';
import { withdrawInvitations } from './withdraw-invitations.ts';

export type User = {
  userId: string;
  name: string;
  scope: AdminScope;
  /** Null: all bots. */
  botIds: readonly string[] | null;
  createdAt: Date;
  /** Null: never. */
  lastSignInAt: Date | null;
  /** Since then the user cannot sign in; null: the user can. */
  disabledAt: Date | null;
};
export type NewUser = Pick<User, 'name' | 'scope' | 'botIds'> & { password: string };

const nameLengthMax = 100;

/** Creates a user. Throws Refusal INPUT_INVALID (name, password), USER_EXISTS, BOT_NOT_FOUND. */
export async function createUser(
  sql: Queryable,
  { name, scope, botIds, password }: NewUser,
  { now, random, passwords }: { now: number; random: Random; passwords: Passwords },
): Promise<User> {
  checkName(name);
  await checkChoice(password, name);
  const uniqueIds = await checkBots(sql, botIds);
  const user = {
    ...{ userId: newId(random), name, scope, botIds: uniqueIds, createdAt: new Date(now) },
    ...{ lastSignInAt: null, disabledAt: null },
  };
  const hash = await passwords.hash(password);
  const inserted = await sql`
    insert into users (user_id, name, name_key, scope, bot_ids, password_hash, created_at)
    values (${user.userId}, ${name}, ${nameKeyOf(name)}, ${scope}, ${uniqueIds}::text[], ${hash}, ${user.createdAt})
    on conflict (name_key) do nothing`;
  if (inserted.count === 0) refuseTaken(name);
  return user;
}

/** All users, by name. */
export async function listUsers(sql: Queryable): Promise<User[]> {
  return sql<User[]>`select ${columns(sql)} from users order by name_key`;
}

/** The names of existing users, by id. */
export async function userNames(
  sql: Queryable,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (userIds.length === 0) return new Map();
  const rows = await sql<Pick<User, 'userId' | 'name'>[]>`
    select user_id as "userId", name from users where user_id = any (${textList(userIds)}::text[])`;
  return new Map(rows.map(({ userId, name }) => [userId, name]));
}

/** Throws Refusal USER_NOT_FOUND. */
export async function findUser(sql: Queryable, userId: string): Promise<User> {
  const [user] = await sql<User[]>`select ${columns(sql)} from users where user_id = ${userId}`;
  return user ?? refuseUnknown(userId);
}

/** Throws Refusal USER_NOT_FOUND. */
export async function findUserByName(sql: Queryable, name: string): Promise<User> {
  const [user] = await sql<User[]>`select ${columns(sql)} from users where name_key = ${nameKeyOf(name)}`;
  return user ?? refuseUnknown(name);
}

/**
 * Changes the user; omitted fields stay. A new password ends the user's sessions, except the one with the hash `keptSession`. Safe
 * to repeat. Throws Refusal INPUT_INVALID, USER_NOT_FOUND, USER_EXISTS, BOT_NOT_FOUND.
 */
export async function updateUser(
  sql: Sql,
  userId: string,
  changes: Partial<NewUser> & { disabledAt?: Date | null },
  { passwords, keptSession }: { passwords: Passwords; keptSession: Buffer | null },
): Promise<User> {
  const { password } = changes;
  const former = await findUser(sql, userId);
  const { name } = { ...former, ...changes };
  checkName(name);
  const botIds = changes.botIds === undefined ? former.botIds : await checkBots(sql, changes.botIds);
  if (password !== undefined) await checkChoice(password, name);
  const hash = password === undefined ? null : await passwords.hash(password);
  return sql
    .begin(async (tx) => {
      const adminIds = await lockAdmins(tx);
      const [user] = await tx<User[]>`
        update users set
          name = coalesce(${changes.name ?? null}, name),
          name_key = coalesce(${changes.name === undefined ? null : nameKeyOf(name)}, name_key),
          scope = coalesce(${changes.scope ?? null}, scope),
          bot_ids = ${changes.botIds === undefined ? tx`bot_ids` : tx`${botIds as string[] | null}::text[]`},
          disabled_at = ${changes.disabledAt === undefined ? tx`disabled_at` : changes.disabledAt},
          password_hash = coalesce(${hash}, password_hash)
        where user_id = ${userId} returning ${columns(tx)}`;
      if (!user) refuseUnknown(userId);
      if (hash !== null) await endSessionsOf(tx, userId, keptSession);
      if (user.disabledAt !== null) await endSessionsOf(tx, userId, null);
      const hasOtherRights = changes.scope !== undefined || changes.botIds !== undefined;
      if (user.disabledAt !== null || hasOtherRights) await withdrawInvitations(tx, userId);
      if (adminIds.has(userId) && !isAdminOfAll(user)) await requireAdmin(tx);
      return user;
    })
    .catch((error: unknown) => {
      if (isNameTaken(error)) refuseTaken(name);
      throw error;
    });
}

/** Removes a user like `removeUser`. Throws Refusal LAST_ADMIN for the last user who may do everything. */
export async function removeUserUnlessLast(tx: Transaction, userId: string): Promise<void> {
  const adminIds = await lockAdmins(tx);
  await findUser(tx, userId);
  await removeUser(tx, userId);
  if (adminIds.has(userId)) await requireAdmin(tx);
}

function isAdminOfAll({ scope, botIds, disabledAt }: User): boolean {
  return scope === 'admin' && botIds === null && disabledAt === null;
}

/** The ids of the administrators of all bots. Two changes must not each leave the other's user as the last one. */
async function lockAdmins(tx: Transaction): Promise<ReadonlySet<string>> {
  const rows = await tx<{ userId: string }[]>`
    select user_id as "userId" from users where scope = 'admin' and bot_ids is null and disabled_at is null order by user_id for update`;
  return new Set(rows.map(({ userId }) => userId));
}

async function requireAdmin(tx: Transaction): Promise<void> {
  const rows = await tx`
    select from users where scope = 'admin' and bot_ids is null and disabled_at is null limit 1`;
  if (rows.length === 0)
    throw new Refusal('LAST_ADMIN', 'This is the last user with the scope admin for all bots.');
}

/** Removes a user and ends the user's sessions and invitations at once. Safe to repeat. */
export async function removeUser(sql: Queryable, userId: string): Promise<void> {
  await withdrawInvitations(sql, userId);
  await sql`delete from users where user_id = ${userId}`;
}

/** The compared form of a name. */
export function nameKeyOf(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

function columns(sql: Queryable) {
  return sql`user_id as "userId", name, scope, bot_ids as "botIds",
    created_at as "createdAt", last_sign_in_at as "lastSignInAt", disabled_at as "disabledAt"`;
}

function isNameTaken(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && 'constraint_name' in error)) return false;
  return error.code === '23505' && error.constraint_name === 'users_name_key_key';
}

/** The ids in order, each once. */
async function checkBots(sql: Queryable, botIds: readonly string[] | null): Promise<string[] | null> {
  if (botIds === null) return null;
  const ids = [...new Set(botIds)].sort();
  if (ids.length === 0) throw invalidInput('A user is for all bots, or for at least one.');
  const rows = await sql<{ id: string }[]>`select bot_id as id from bots where bot_id = any (${ids}::text[])`;
  const missing = ids.find((id) => !rows.some((row) => row.id === id));
  if (missing !== undefined) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${missing}.`);
  return ids;
}

function checkName(name: string): void {
  const isPlain = name.trim() === name && !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(name);
  if (isPlain && name.length > 0 && name.length <= nameLengthMax) return;
  throw invalidInput(
    `A user's name has 1 to ${nameLengthMax} characters, none of them a control character, and no space at its ends.`,
  );
}

function refuseTaken(name: string): never {
  throw new Refusal('USER_EXISTS', `A user ${JSON.stringify(name)} already exists.`);
}

function refuseUnknown(user: string): never {
  throw new Refusal('USER_NOT_FOUND', `There is no user ${JSON.stringify(user)}.`);
}
