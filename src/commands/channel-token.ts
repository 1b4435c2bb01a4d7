/**
 * `shoal channel token`: tokens for LINE's calls as Shoal serves them. A token is told once, by the command that makes it.
 */
import type { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import { createLineToken, type LineToken, listLineTokens, revokeLineToken } from '../bots/line-tokens.ts';
import { Refusal } from '../errors.ts';
import { readPlatform } from '../imports/values.ts';
import type { CommandContext } from './context.ts';

const jsonHelp = 'print one JSON object';

/** Adds the commands to `shoal channel`. */
export function addTokenCommands(channel: Command, context: CommandContext): void {
  const token = channel
    .command('token')
    .description(
      "Tokens for the LINE Insight calls, beside the channel's own access token: create, list, revoke.",
    );
  addCreate(token, context);
  addList(token, context);
  addRevoke(token, context);
}

function addCreate(token: Command, context: CommandContext): void {
  lineCommand(token, 'create', 'Make a token; it is told this once and has no end.').action(
    async (botId: string, platformText: string, { json }: { json?: boolean }) => {
      const platform = readLine(platformText);
      const making = { now: context.clock(), random: context.random };
      const made = await context.withDatabase((sql) => createLineToken(sql, botId, making));
      const told = `Token: ${made.token}\nTo revoke it: shoal channel token revoke ${botId} ${platform} ${made.tokenId}`;
      context.out(json ? JSON.stringify({ botId, platform, ...made }) : told);
    },
  );
}

function addList(token: Command, context: CommandContext): void {
  lineCommand(token, 'list', 'List the tokens that were made, without what opens.').action(
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

function toText({ tokenId, createdAt, revokedAt }: LineToken): string {
  const made = `${tokenId}  made ${createdAt.toISOString()}`;
  return revokedAt === null ? made : `${made}  revoked ${revokedAt.toISOString()}`;
}
