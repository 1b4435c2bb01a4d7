/**
 * Operations on admin tokens. A caller for some bots sees, creates and revokes only tokens for these bots, so that no token can be
 * used to gain more rights.
 */
import {
  type AdminToken,
  createAdminToken,
  findAdminToken,
  listAdminTokens,
  mayUseBot,
  revokeAdminToken,
} from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import { Refusal } from '../../errors.ts';
import { msOf, withIsoDates } from '../iso.ts';
import type { Operations, Sources } from './operation.ts';

export function tokenOperations({ sql, clock, random }: Sources) {
  return {
    async getOwnToken({ caller: { kind, id } }) {
      if (kind === 'token') return withIsoDates(await findAdminToken(sql, id));
      throw new Refusal('ADMIN_TOKEN_NOT_FOUND', 'The call is that of a user, not of a token.');
    },
    async listAdminTokens({ caller }) {
      const tokens = await listAdminTokens(sql);
      return { adminTokens: tokens.filter(({ botIds }) => isWithin(caller, botIds)).map(withIsoDates) };
    },
    async createAdminToken({ caller, body: { name = '', scope, botIds = null, expiresAt } }) {
      if (botIds === null && caller.botIds !== null) {
        throw new Refusal(
          'SCOPE_TOO_SMALL',
          'Only a token for all bots may create one for all: name botIds.',
        );
      }
      const foreign = botIds?.find((botId) => !mayUseBot(caller, botId));
      if (foreign !== undefined) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${foreign}.`);
      const token = { name, scope, botIds, expiresAt: msOf(expiresAt) };
      const making = { now: clock(), random };
      return withIsoDates(await sql.begin((tx) => createAdminToken(tx, token, making)));
    },
    async revokeAdminToken({ caller, params: { tokenId } }) {
      const { botIds } = await findAdminToken(sql, tokenId);
      if (!isWithin(caller, botIds)) {
        throw new Refusal('ADMIN_TOKEN_NOT_FOUND', `There is no admin token ${tokenId}.`);
      }
      await sql.begin((tx) => revokeAdminToken(tx, { tokenId, now: clock() }));
    },
  } satisfies Partial<Operations>;
}

function isWithin(caller: Caller, botIds: AdminToken['botIds']): boolean {
  if (caller.botIds === null) return true;
  return botIds?.every((botId) => mayUseBot(caller, botId)) ?? false;
}
