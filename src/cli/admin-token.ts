/**
 * `shoal admin-token`: tokens for the management API and the dashboard. Only the command that creates a token shows it.
 */
import {
  type AdminScope,
  type AdminToken,
  adminScopes,
  createAdminToken,
  listAdminTokens,
  revokeAdminToken,
} from '../auth/admin-tokens.ts';
import { renderLine, renderList, type ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { expiresHelp, expiresOption, readExpires } from './expires-option.ts';

type CreateOptions = { scope: AdminScope; bot?: string[]; name: string; expires?: string };

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const token = program.add(
    'admin-token',
    'Tokens for the management API and the dashboard: create, list, revoke.',
  );
  token
    .add('create', 'Create a token. It is shown only once.')
    .choice(
      '--scope <scope>',
      'what the token allows; each scope includes those before it',
      adminScopes,
      'admin',
    )
    .option('--bot <bot...>', 'only for these bots (default: all)')
    .option('--name <name>', 'a description for the list', '')
    .option(expiresOption, expiresHelp)
    .answer(({ scope, bot, name, expires }: CreateOptions) => {
      const creation = { now: context.clock(), random: context.random };
      const input = { name, scope, botIds: bot ?? null, expiresAt: readExpires(expires, creation.now) };
      return async (sql) => {
        const { tokenId, token, botIds, expiresAt } = await sql.begin((tx) =>
          createAdminToken(tx, input, creation),
        );
        return {
          json: { tokenId, token, name, scope, botIds, expiresAt },
          text: `Token: ${token}\nTo revoke it: shoal admin-token revoke ${tokenId}`,
        };
      };
    });
  token
    .add('list', 'List the tokens without their secrets, including revoked tokens.')
    .answer(() => async (sql) => {
      const tokens = await listAdminTokens(sql);
      return { json: { tokens }, text: renderList(tokens, renderToken) };
    });
  token
    .add('revoke', 'Revoke a token at once.')
    .argument('<token-id>', 'as create and list show it')
    .answer((tokenId: string) => async (sql) => {
      await sql.begin((tx) => revokeAdminToken(tx, { tokenId, now: context.clock() }));
      return { json: { tokenId }, text: `${tokenId} is revoked.` };
    });
}

function renderToken(token: AdminToken): string {
  return renderLine(
    token.tokenId,
    token.scope,
    token.botIds === null ? 'all bots' : token.botIds.join(', '),
    token.name,
    ['created', token.createdAt],
    token.lastUsedAt === null ? 'never used' : ['used', token.lastUsedAt],
    ['expires', token.expiresAt],
    ['revoked', token.revokedAt],
  );
}
