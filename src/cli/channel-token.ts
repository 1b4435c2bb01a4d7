/**
 * `shoal channel token`: tokens for LINE's calls as Shoal serves them. Only the command that makes a token shows it.
 */
import { type Command, Option } from 'commander';
import { findBot } from '../bots/bots.ts';
import {
  createLineToken,
  type LineToken,
  type LineTokenScope,
  lineTokenScopes,
  listLineTokens,
  revokeLineToken,
} from '../bots/line-tokens.ts';
import { Refusal } from '../errors.ts';
import { readPlatform } from '../imports/values.ts';
import type { CommandContext } from './context.ts';
import { endHelp, endOption, readEnd } from './token-end.ts';

const jsonHelp = 'print one JSON object';

/** Adds the commands to `shoal channel`. */
export function addTokenCommands(channel: Command, context: CommandContext): void {
  const token = channel
    .command('token')
    .description("Tokens for LINE's calls, next to the channel's own access token: create, list, revoke.");
  addCreate(token, context);
  addList(token, context);
  addRevoke(token, context);
}

type CreateOptions = { scope: LineTokenScope; expires?: string; json?: boolean };

function addCreate(token: Command, context: CommandContext): void {
  lineCommand(token, 'create', 'Make a token. It is shown only once.')
    .addOption(
      new Option(
        '--scope <scope>',
        'insight: LINE Insight calls; send: sending, too; all: every call of LINE',
      )
        .choices([...lineTokenScopes])
        .default('insight'),
    )
    .option(endOption, endHelp)
    .action(async (botId: string, platformText: string, { scope, expires, json }: CreateOptions) => {
      const platform = readLine(platformText);
      const making = { now: context.clock(), random: context.random };
      const expiresAt = readEnd(expires, making.now);
      const made = await context.withDatabase((sql) =>
        createLineToken(sql, botId, { scope, expiresAt }, making),
      );
      const { token, tokenId } = made;
      const words = `Token: ${token}\nTo revoke it: shoal channel token revoke ${botId} ${platform} ${tokenId}`;
      const shown = { botId, platform, tokenId, token, scope, expiresAt: made.expiresAt };
      context.out(json ? JSON.stringify(shown) : words);
    });
}

function addList(token: Command, context: CommandContext): void {
  lineCommand(token, 'list', 'List the made tokens, without their secrets.').action(
    async (botId: string, platformText: string, { json }: { json?: boolean }) => {
      const platform = readLine(platformText);
      const tokens = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return listLineTokens(sql, botId);
      });
      context.out(
        json ? JSON.stringify({ botId, platform, tokens }) : tokens.map(toText).join('\n') || 'None.',
      );
    },
  );
}

function addRevoke(token: Command, context: CommandContext): void {
  lineCommand(token, 'revoke', 'End a token at once.')
    .argument('<token-id>', 'as create and list show it')
    .action(async (botId: string, platformText: string, tokenId: string, { json }: { json?: boolean }) => {
      const platform = readLine(platformText);
      const now = context.clock();
      await context.withDatabase((sql) => revokeLineToken(sql, { botId, tokenId, now }));
      context.out(json ? JSON.stringify({ botId, platform, tokenId }) : `${tokenId} is revoked.`);
    });
}

function lineCommand(token: Command, name: string, description: string): Command {
  return token
    .command(name)
    .description(description)
    .argument('<bot>', 'bot id')
    .argument('<platform>', 'line')
    .option('--json', jsonHelp);
}

function readLine(text: string): 'line' {
  const platform = readPlatform(text);
  if (platform === 'line') return platform;
  throw new Refusal('INPUT_INVALID', `Tokens are made for line only, not for ${platform}.`);
}

function toText({ tokenId, scope, createdAt, expiresAt, revokedAt }: LineToken): string {
  return [
    tokenId,
    scope,
    `made ${createdAt.toISOString()}`,
    expiresAt === null ? '' : `expires ${expiresAt.toISOString()}`,
    revokedAt === null ? '' : `revoked ${revokedAt.toISOString()}`,
  ]
    .filter((part) => part !== '')
    .join('  ');
}
