/**
 * Operations on admin tokens. A caller whose token is for some bots sees, makes and revokes only tokens that are for these
 * bots and no others, so that nobody can make more of a token than it is.
 */
import {
  type AdminToken,
  adminScopes,
  createAdminToken,
  findAdminToken,
  listAdminTokens,
  mayUseBot,
  revokeAdminToken,
} from '../../auth/admin-tokens.ts';
import type { Caller } from '../../auth/caller.ts';
import { Refusal } from '../../errors.ts';
import { textOf } from '../../json.ts';
import { instantOf, type ManagementOperations, type ManagementSources, namesOf, textsOf } from './call.ts';

export function tokenOperations({ sql, clock, random }: ManagementSources): ManagementOperations {
  return {
    async getOwnToken({ caller: { kind, id } }) {
      if (kind === 'token') return toToken(await findAdminToken(sql, id));
      throw new Refusal('ADMIN_TOKEN_NOT_FOUND', 'The call is that of a user, not of a token.');
    },
    async listAdminTokens({ caller }) {
      const tokens = await listAdminTokens(sql);
      return { adminTokens: tokens.filter((token) => isWithin(caller, token.botIds)).map(toToken) };
    },
    async createAdminToken({ caller, body }) {
      const [scope] = namesOf([body.scope], adminScopes) ?? [];
      if (scope === undefined) throw new Error('the contract let a scope through that there is not');
      const botIds = textsOf(body.botIds) ?? null;
      if (botIds === null && caller.botIds !== null) {
        throw new Refusal('SCOPE_TOO_SMALL', 'Only a token for all bots may make one for all: name botIds.');
      }
      const foreign = botIds?.find((botId) => !mayUseBot(caller, botId));
      if (foreign !== undefined) throw new Refusal('BOT_NOT_FOUND', `There is no bot ${foreign}.`);
      const expiresAt = instantOf(body.expiresAt);
      const asked = { name: textOf(body.name) ?? '', scope, botIds, expiresAt };
      const made = await createAdminToken(sql, asked, { now: clock(), random });
      return { ...toToken(made), token: made.token };
    },
    async revokeAdminToken({ caller, params }) {
      const tokenId = String(params.tokenId);
      const { botIds } = await findAdminToken(sql, tokenId);
      if (!isWithin(caller, botIds)) {
        throw new Refusal('ADMIN_TOKEN_NOT_FOUND', `There is no admin token ${tokenId}.`);
      }
      await revokeAdminToken(sql, { tokenId, now: clock() });
    },
  };
}

function isWithin(caller: Caller, botIds: AdminToken['botIds']): boolean {
  if (caller.botIds === null) return true;
  return botIds?.every((botId) => mayUseBot(caller, botId)) ?? false;
}

function toToken({ createdAt, lastUsedAt, expiresAt, revokedAt, ...token }: AdminToken) {
  return {
    ...token,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
