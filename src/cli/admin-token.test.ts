import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandRunner } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { findAdminCaller } from '../auth/admin-tokens.ts';
import { register } from './admin-token.ts';

const now = Date.parse('2026-03-15T03:00:00Z');

test('a token is shown once, allows everything by default, and is listed without its secret', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('one', 'Shop'), ('two', 'Shop')`;
  const run = commandRunner(sql, register, { now });
  const call = async (...args: string[]) => JSON.parse((await run('admin-token', ...args, '--json')).out);
  const created = await call('create');
  assert.deepEqual(
    { ...created, tokenId: '', token: '' },
    { tokenId: '', token: '', name: '', scope: 'admin', botIds: null, expiresAt: null },
  );
  const some = await call('create', '--scope', 'read', '--bot', 'two', 'one', '--name', 'weekly report');
  assert.deepEqual([some.scope, some.botIds, some.name], ['read', ['one', 'two'], 'weekly report']);
  assert.equal((await findAdminCaller(sql, created.token, { now }))?.tokenId, created.tokenId);
  assert.deepEqual(await call('revoke', created.tokenId), { tokenId: created.tokenId });
  assert.equal(await findAdminCaller(sql, created.token, { now }), null);
  const short = await call('create', '--expires', '30d');
  assert.equal(short.expiresAt, '2026-04-14T03:00:00.000Z');
  const { tokens } = await call('list');
  assert.equal(JSON.stringify(tokens).includes(some.token), false);
  const at = new Date(now).toISOString();
  const lines = [
    `${created.tokenId}  admin  all bots  created ${at}  used ${at}  revoked ${at}`,
    `${some.tokenId}  read  one, two  weekly report  created ${at}  never used`,
    `${short.tokenId}  admin  all bots  created ${at}  never used  expires ${short.expiresAt}`,
  ];
  assert.deepEqual((await run('admin-token', 'list')).out.split('\n').sort(), lines.sort());
});

test('an unknown bot and an unknown token are refused', async (t) => {
  const { sql } = await testDatabase(t);
  const run = commandRunner(sql, register, { now });
  await assert.rejects(run('admin-token', 'create', '--bot', 'missing'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('admin-token', 'revoke', 'unknown'), { code: 'ADMIN_TOKEN_NOT_FOUND' });
});
