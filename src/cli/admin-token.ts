/**
 * `shoal admin-token`: tokens for the management API and the dashboard. Only the command that makes a token shows it.
 */
import { type Command, Option } from 'commander';
import {
  type AdminScope,
  type AdminToken,
  adminScopes,
  createAdminToken,
  listAdminTokens,
  revokeAdminToken,
} from '../auth/admin-tokens.ts';
import type { CommandContext } from './context.ts';
import { endHelp, endOption, readEnd } from './token-end.ts';

const jsonHelp = 'print one JSON object';

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const token = program
    .command('admin-token')
    .description('Tokens for the management API and the dashboard: create, list, revoke.');
  addCreate(token, context);
  addList(token, context);
  addRevoke(token, context);
}

type CreateOptions = { scope: AdminScope; bot?: string[]; name: string; expires?: string; json?: boolean };

function addCreate(token: Command, context: CommandContext): void {
  token
    .command('create')
    .description('Make a token. It is shown only once.')
    .addOption(
      new Option('--scope <scope>', 'what it may do: each scope may do what those before it may')
        .choices([...adminScopes])
        .default('admin'),
    )
    .option('--bot <bot...>', 'only for these bots; else for all')
    .option('--name <name>', 'what it is for, as the list shows it', '')
    .option(endOption, endHelp)
    .option('--json', jsonHelp)
    .action(async ({ scope, bot, name, expires, json }: CreateOptions) => {
      const making = { now: context.clock(), random: context.random };
      const asked = { name, scope, botIds: bot ?? null, expiresAt: readEnd(expires, making.now) };
      const made = await context.withDatabase((sql) => createAdminToken(sql, asked, making));
      const { tokenId, token, botIds, expiresAt } = made;
      const words = `Token: ${token}\nTo revoke it: shoal admin-token revoke ${tokenId}`;
      context.out(json ? JSON.stringify({ tokenId, token, name, scope, botIds, expiresAt }) : words);
    });
}

function addList(token: Command, context: CommandContext): void {
  token
    .command('list')
    .description('List the tokens, revoked ones too, without their secrets.')
    .option('--json', jsonHelp)
    .action(async ({ json }: { json?: boolean }) => {
      const tokens = await context.withDatabase((sql) => listAdminTokens(sql));
      context.out(json ? JSON.stringify({ tokens }) : tokens.map(toText).join('\n') || 'None.');
    });
}

function addRevoke(token: Command, context: CommandContext): void {
  token
    .command('revoke')
    .description('End a token at once.')
    .argument('<token-id>', 'as create and list show it')
    .option('--json', jsonHelp)
    .action(async (tokenId: string, { json }: { json?: boolean }) => {
      const now = context.clock();
      await context.withDatabase((sql) => revokeAdminToken(sql, { tokenId, now }));
      context.out(json ? JSON.stringify({ tokenId }) : `${tokenId} is revoked.`);
    });
}

function toText({
  tokenId,
  name,
  scope,
  botIds,
  createdAt,
  lastUsedAt,
  expiresAt,
  revokedAt,
}: AdminToken): string {
  return [
    tokenId,
    scope,
    botIds === null ? 'all bots' : botIds.join(', '),
    name,
    `made ${createdAt.toISOString()}`,
    lastUsedAt === null ? 'never used' : `used ${lastUsedAt.toISOString()}`,
    expiresAt === null ? '' : `expires ${expiresAt.toISOString()}`,
    revokedAt === null ? '' : `revoked ${revokedAt.toISOString()}`,
  ]
    .filter((part) => part !== '')
    .join('  ');
}
