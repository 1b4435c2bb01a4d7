/**
 * Operations on users. As with admin tokens, a caller for some bots sees, makes, changes and removes only users who are for one of
 * these bots.
 */
import { type AdminScope, adminScopes, mayUseBot } from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import type { Passwords } from '../../auth/passwords.ts';
import { createUser, findUser, listUsers, removeUser, type User, updateUser } from '../../auth/users.ts';
import { Refusal } from '../../errors.ts';
import { textOf } from '../../json.ts';
import { type ManagementCall, type ManagementOperations, type ManagementSources, namesOf } from './call.ts';

export function userOperations({
  sql,
  clock,
  random,
  passwords,
}: ManagementSources & { passwords: Passwords }): ManagementOperations {
  const findOwn = async ({ caller, params }: ManagementCall): Promise<User> => {
    const userId = String(params.userId);
    const user = await findUser(sql, userId);
    if (isWithin(caller, user.botId)) return user;
    throw new Refusal('USER_NOT_FOUND', `There is no user ${JSON.stringify(userId)}.`);
  };
  return {
    async listUsers({ caller }) {
      const users = await listUsers(sql);
      return { users: users.filter(({ botId }) => isWithin(caller, botId)).map(toUser) };
    },
    async createUser({ caller, body }) {
      const botId = textOf(body.botId) ?? null;
      checkBot(caller, botId);
      const scope = scopeOf(body.scope);
      if (scope === undefined) throw new Error('the contract let a scope through that there is not');
      const asked = { name: String(body.name), scope, botId, password: String(body.password) };
      return toUser(await createUser(sql, asked, { now: clock(), random, passwords }));
    },
    async updateUser(call) {
      const { caller, body } = call;
      const { userId } = await findOwn(call);
      const { name, password, botId } = body;
      if (botId !== undefined) checkBot(caller, textOf(botId) ?? null);
      const scope = scopeOf(body.scope);
      const changes = {
        ...(name === undefined ? {} : { name: String(name) }),
        ...(password === undefined ? {} : { password: String(password) }),
        ...(botId === undefined ? {} : { botId: textOf(botId) ?? null }),
        ...(scope === undefined ? {} : { scope }),
      };
      const keptSession = caller.session?.hash ?? null;
      return toUser(await updateUser(sql, userId, changes, { passwords, keptSession }));
    },
    async removeUser(call) {
      const { userId } = await findOwn(call);
      await removeUser(sql, userId);
    },
  };
}

function scopeOf(value: unknown): AdminScope | undefined {
  return namesOf([value], adminScopes)?.[0];
}

function checkBot(caller: Caller, botId: string | null): void {
  if (isWithin(caller, botId)) return;
  if (botId !== null) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  throw new Refusal('SCOPE_TOO_SMALL', 'Only a caller for all bots may make a user for all: name botId.');
}

function isWithin(caller: Caller, botId: string | null): boolean {
  return caller.botIds === null || (botId !== null && mayUseBot(caller, botId));
}

function toUser({ createdAt, lastSignInAt, ...user }: User) {
  return { ...user, createdAt: createdAt.toISOString(), lastSignInAt: lastSignInAt?.toISOString() ?? null };
}
