/**
 * `shoal channel token`: tokens for LINE's calls through Shoal. Only the command that creates a token shows it.
 */
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
import { renderLine, renderList, type ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { expiresHelp, expiresOption, readExpires } from './expires-option.ts';

type CreateOptions = { scope: LineTokenScope; expires?: string };

/** Adds the commands to `shoal channel`. */
export function addTokenCommands(channel: ShoalCommand, context: CommandContext): void {
  const token = channel.add(
    'token',
    "Tokens for LINE's calls, in addition to the channel's own access token: create, list, revoke.",
  );
  const lineCommand = (name: string, description: string) =>
    token.addForBot(name, description).argument('<platform>', 'line', readLine);
  lineCommand('create', 'Create a token. It is shown only once.')
    .choice(
      '--scope <scope>',
      'insight: LINE Insight calls; send: sending, too; all: every call of LINE',
      lineTokenScopes,
      'insight',
    )
    .option(expiresOption, expiresHelp)
    .answer((botId: string, platform: string, { scope, expires }: CreateOptions) => {
      const creation = { now: context.clock(), random: context.random };
      const input = { scope, expiresAt: readExpires(expires, creation.now) };
      return async (sql) => {
        const { token, tokenId, expiresAt } = await createLineToken(sql, botId, input, creation);
        return {
          json: { botId, platform, tokenId, token, scope, expiresAt },
          text: `Token: ${token}\nTo revoke it: shoal channel token revoke ${botId} ${platform} ${tokenId}`,
        };
      };
    });
  lineCommand('list', 'List the created tokens, without their secrets.').answer(
    (botId: string, platform: string) => async (sql) => {
      await findBot(sql, botId);
      const tokens = await listLineTokens(sql, botId);
      return { json: { botId, platform, tokens }, text: renderList(tokens, renderToken) };
    },
  );
  lineCommand('revoke', 'Revoke a token at once.')
    .argument('<token-id>', 'as create and list show it')
    .answer((botId: string, platform: string, tokenId: string) => async (sql) => {
      await sql.begin((tx) => revokeLineToken(tx, { botId, tokenId, now: context.clock() }));
      return { json: { botId, platform, tokenId }, text: `${tokenId} is revoked.` };
    });
}

function readLine(text: string): 'line' {
  const platform = readPlatform(text);
  if (platform === 'line') return platform;
  throw new Refusal('INPUT_INVALID', `Only line has tokens, not ${platform}.`);
}

function renderToken({ tokenId, scope, createdAt, expiresAt, revokedAt }: LineToken): string {
  return renderLine(tokenId, scope, ['created', createdAt], ['expires', expiresAt], ['revoked', revokedAt]);
}
