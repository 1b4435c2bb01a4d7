/**
 * Operations on users. As with admin tokens, a caller for some bots sees, creates, changes and removes only users of one of these
 * bots.
 */
import { mayUseBot } from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import { createUser, findUser, listUsers, removeUser, type User, updateUser } from '../../auth/users.ts';
import { Refusal } from '../../errors.ts';
import { withIsoDates } from '../iso.ts';
import type { Call, Operations, Sources } from './operation.ts';

export function userOperations({ sql, clock, random, passwords }: Sources) {
  const findOwn = async ({
    caller,
    params: { userId },
  }: Pick<Call<'removeUser'>, 'caller' | 'params'>): Promise<User> => {
    const user = await findUser(sql, userId);
    if (isWithin(caller, user.botId)) return user;
    throw new Refusal('USER_NOT_FOUND', `There is no user ${JSON.stringify(userId)}.`);
  };
  return {
    async listUsers({ caller }) {
      const users = await listUsers(sql);
      return { users: users.filter(({ botId }) => isWithin(caller, botId)).map(withIsoDates) };
    },
    async createUser({ caller, body: { botId = null, ...user } }) {
      checkBot(caller, botId);
      const making = { now: clock(), random, passwords };
      return withIsoDates(await sql.begin((tx) => createUser(tx, { ...user, botId }, making)));
    },
    async updateUser(call) {
      const { caller, body } = call;
      const { userId } = await findOwn(call);
      if (body.botId !== undefined) checkBot(caller, body.botId);
      const keptSession = caller.session?.hash ?? null;
      return withIsoDates(await updateUser(sql, userId, body, { passwords, keptSession }));
    },
    async removeUser(call) {
      const { userId } = await findOwn(call);
      await sql.begin((tx) => removeUser(tx, userId));
    },
  } satisfies Partial<Operations>;
}

function checkBot(caller: Caller, botId: string | null): void {
  if (isWithin(caller, botId)) return;
  if (botId !== null) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${botId}.`);
  throw new Refusal('SCOPE_TOO_SMALL', 'Only a caller for all bots may make a user for all: name botId.');
}

function isWithin(caller: Caller, botId: string | null): boolean {
  return caller.botIds === null || (botId !== null && mayUseBot(caller, botId));
}
