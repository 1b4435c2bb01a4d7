import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandRunner } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { findTokenBot, hashLineToken } from '../bots/line-tokens.ts';
import { addTokenCommands } from './channel-token.ts';

const now = Date.parse('2026-03-15T03:00:00Z');

test('a token is shown once, is valid until it is revoked, and is listed without its secret', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot'), ('other', 'Bot')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('bot', 'line', 'sealed')`;
  const run = commandRunner(sql, addTokenCommands, { now });
  const call = async (...args: string[]) => JSON.parse((await run('token', ...args, '--json')).out);
  const { token, tokenId, ...created } = await call('create', 'bot', 'line');
  assert.deepEqual(created, { botId: 'bot', platform: 'line', scope: 'insight', expiresAt: null });
  assert.match(token, /^[\w-]{43}$/);
  assert.equal((await findTokenBot(sql, hashLineToken(token), { now }))?.botId, 'bot');
  const createdAt = new Date(now).toISOString();
  const entry = { tokenId, scope: 'insight', createdAt, expiresAt: null, revokedAt: null };
  const listed = { botId: 'bot', platform: 'line', tokens: [entry] };
  assert.deepEqual(await call('list', 'bot', 'line'), listed);
  assert.deepEqual(await call('revoke', 'bot', 'line', tokenId), { botId: 'bot', platform: 'line', tokenId });
  assert.equal(await findTokenBot(sql, hashLineToken(token), { now }), null);
  assert.equal(
    (await run('token', 'list', 'bot', 'line')).out,
    `${tokenId}  insight  created ${createdAt}  revoked ${createdAt}`,
  );
});

test('a token has a scope and an expiry time', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('bot', 'line', 'sealed')`;
  const run = commandRunner(sql, addTokenCommands, { now });
  const create = async (...args: string[]) =>
    JSON.parse((await run('token', 'create', 'bot', 'line', ...args, '--json')).out);
  const ends = [
    ['90d', '2026-06-13T03:00:00.000Z'],
    ['2026-03-16', '2026-03-16T00:00:00.000Z'],
    ['2026-12-31T23:59:59+08:00', '2026-12-31T15:59:59.000Z'],
  ] as const;
  for (const [expires, expiresAt] of ends) {
    const created = await create('--scope', 'send', '--expires', expires);
    assert.deepEqual([created.scope, created.expiresAt], ['send', expiresAt]);
    const end = Date.parse(expiresAt);
    assert.equal((await findTokenBot(sql, hashLineToken(created.token), { now: end - 1 }))?.botId, 'bot');
    assert.equal(await findTokenBot(sql, hashLineToken(created.token), { now: end }), null);
  }
  assert.match(
    (await run('token', 'list', 'bot', 'line')).out,
    /^\w+ {2}send {2}created \S+ {2}expires 2026-06-13T03:00:00.000Z$/m,
  );
  for (const wrong of ['0d', '10001d', '-1d', 'soon', '2026-03-15', '2026-03-15T03:00:00Z'])
    await assert.rejects(create('--expires', wrong), { code: 'INPUT_INVALID' }, wrong);
});

test('an unknown bot, channel or token and another platform are refused', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot')`;
  const run = commandRunner(sql, addTokenCommands, { now });
  await assert.rejects(run('token', 'create', 'bot', 'line'), { code: 'CHANNEL_NOT_FOUND' });
  await assert.rejects(run('token', 'create', 'missing', 'line'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('token', 'list', 'missing', 'line'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('token', 'create', 'bot', 'facebook'), { code: 'INPUT_INVALID' });
  await assert.rejects(run('token', 'revoke', 'bot', 'line', 'unknown'), { code: 'LINE_TOKEN_NOT_FOUND' });
});
