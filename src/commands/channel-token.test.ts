import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { commandRunner } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { findTokenBot, hashLineToken } from '../bots/line-tokens.ts';
import { addTokenCommands } from './channel-token.ts';

const now = Date.parse('2026-03-15T03:00:00Z');

test('a token is told once, opens until it is revoked, and is listed without what opens', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot'), ('other', 'Bot')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('bot', 'line', 'sealed')`;
  const run = commandRunner(sql, (program: Command, context) => addTokenCommands(program, context), { now });
  const call = async (...args: string[]) => JSON.parse((await run('token', ...args, '--json')).out);
  const { token, tokenId, ...made } = await call('create', 'bot', 'line');
  assert.deepEqual(made, { botId: 'bot', platform: 'line' });
  assert.match(token, /^[\w-]{43}$/);
  assert.equal((await findTokenBot(sql, hashLineToken(token)))?.botId, 'bot');
  const createdAt = new Date(now).toISOString();
  const listed = { botId: 'bot', platform: 'line', tokens: [{ tokenId, createdAt, revokedAt: null }] };
  assert.deepEqual(await call('list', 'bot', 'line'), listed);
  assert.deepEqual(await call('revoke', 'bot', 'line', tokenId), { botId: 'bot', platform: 'line', tokenId });
  assert.equal(await findTokenBot(sql, hashLineToken(token)), null);
  assert.equal(
    (await run('token', 'list', 'bot', 'line')).out,
    `${tokenId}  made ${createdAt}  revoked ${createdAt}`,
  );
});

test('a token is refused for a bot or channel that is not there, for another platform, and when it is not known', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot')`;
  const run = commandRunner(sql, (program: Command, context) => addTokenCommands(program, context), { now });
  await assert.rejects(run('token', 'create', 'bot', 'line'), { code: 'CHANNEL_NOT_FOUND' });
  await assert.rejects(run('token', 'create', 'nobody', 'line'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('token', 'list', 'nobody', 'line'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('token', 'create', 'bot', 'facebook'), { code: 'INPUT_INVALID' });
  await assert.rejects(run('token', 'revoke', 'bot', 'line', 'unknown'), { code: 'INPUT_INVALID' });
});
