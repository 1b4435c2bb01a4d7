/**
 * Operations on users and invitations. As with admin tokens, a caller for some bots sees, creates, changes and removes only users of
 * these bots.
 */
import { mayUseBot } from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import {
  createInvitation,
  listInvitations,
  refuseUnknown,
  removeInvitation,
} from '../../auth/invitations.ts';
import {
  createUser,
  findUser,
  listUsers,
  removeUserUnlessLast,
  type User,
  updateUser,
} from '../../auth/users.ts';
import { findBot } from '../../bots/bots.ts';
import { Refusal } from '../../errors.ts';
import { withIsoDates } from '../iso.ts';
import type { Call, Operations, Sources } from './operation.ts';

const invitationDays = 7;

export function userOperations({ sql, clock, random, passwords }: Sources) {
  const findOwn = async ({
    caller,
    params: { userId },
  }: Pick<Call<'removeUser'>, 'caller' | 'params'>): Promise<User> => {
    const user = await findUser(sql, userId);
    if (isWithin(caller, user.botIds)) return user;
    throw new Refusal('USER_NOT_FOUND', `There is no user ${JSON.stringify(userId)}.`);
  };
  return {
    async listUsers({ caller }) {
      const users = await listUsers(sql);
      return { users: users.filter(({ botIds }) => isWithin(caller, botIds)).map(toUser) };
    },
    async createUser({ caller, body: { botIds = null, ...user } }) {
      checkBots(caller, botIds);
      const making = { now: clock(), random, passwords };
      return toUser(await sql.begin((tx) => createUser(tx, { ...user, botIds }, making)));
    },
    async updateUser(call) {
      const {
        caller,
        body: { disabled, ...changes },
      } = call;
      const { userId, disabledAt } = await findOwn(call);
      if (changes.botIds !== undefined) checkBots(caller, changes.botIds);
      const keptSession = caller.session?.hash ?? null;
      const state =
        disabled === undefined ? {} : { disabledAt: disabled ? (disabledAt ?? new Date(clock())) : null };
      return toUser(await updateUser(sql, userId, { ...changes, ...state }, { passwords, keptSession }));
    },
    async removeUser(call) {
      const { userId } = await findOwn(call);
      await sql.begin((tx) => removeUserUnlessLast(tx, userId));
    },
    async listInvitations({ caller }) {
      const invitations = await listInvitations(sql, { now: clock() });
      return { invitations: invitations.filter(({ botIds }) => isWithin(caller, botIds)).map(toInvitation) };
    },
    async createInvitation({ caller, body: { scope, botIds = null, days = invitationDays } }) {
      checkBots(caller, botIds);
      for (const botId of botIds ?? []) await findBot(sql, botId);
      const invitation = { scope, botIds, creator: caller, days };
      const created = await sql.begin((tx) => createInvitation(tx, invitation, { now: clock(), random }));
      // After #: browsers never send this part to a server.
      return { ...toInvitation(created), path: `/invitation#${created.token}` };
    },
    async removeInvitation({ caller, params: { invitationId } }) {
      const invitations = await listInvitations(sql, { now: clock() });
      const own = invitations.find(
        (one) => one.invitationId === invitationId && isWithin(caller, one.botIds),
      );
      if (!own) refuseUnknown(invitationId);
      await sql.begin((tx) => removeInvitation(tx, invitationId));
    },
  } satisfies Partial<Operations>;
}

export function toUser({ botIds, ...user }: User) {
  return { ...withIsoDates(user), botIds: botIds && [...botIds] };
}

function toInvitation({
  invitationId,
  scope,
  botIds,
  createdBy,
  createdAt,
  expiresAt,
}: Awaited<ReturnType<typeof listInvitations>>[number]) {
  const times = withIsoDates({ createdAt, expiresAt });
  return { invitationId, scope, botIds: botIds && [...botIds], createdBy, ...times };
}

function checkBots(caller: Caller, botIds: readonly string[] | null): void {
  if (isWithin(caller, botIds)) return;
  const foreign = botIds?.find((botId) => !mayUseBot(caller, botId));
  if (foreign !== undefined) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${foreign}.`);
  throw new Refusal('SCOPE_TOO_SMALL', 'Only a caller for all bots may make a user for all: name botIds.');
}

function isWithin(caller: Caller, botIds: readonly string[] | null): boolean {
  return caller.botIds === null || (botIds?.every((botId) => mayUseBot(caller, botId)) ?? false);
}
