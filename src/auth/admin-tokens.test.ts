/**
 * Admin tokens: creation, use and storage.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { minuteMs } from '../time.ts';
import {
  createAdminToken,
  findAdminCaller,
  findAdminToken,
  listAdminTokens,
  mayUseBot,
  revokeAdminToken,
} from './admin-tokens.ts';
import { findSessionCaller, openSession } from './sessions.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const making = { now, random: seededBytes(1) };

test('a token has 32 random bytes behind its prefix, is valid until it is revoked, and is not in the database', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('one', 'Shop'), ('two', 'Shop')`;
  const made = await createAdminToken(sql, { name: 'report', scope: 'read', botIds: ['two', 'two'] }, making);
  assert.match(made.token, /^shoal_admin_[\w-]{43}$/);
  const caller = await findAdminCaller(sql, made.token, { now });
  assert.deepEqual(caller, { tokenId: made.tokenId, name: 'report', scope: 'read', botIds: ['two'] });
  assert.deepEqual([mayUseBot(caller, 'two'), mayUseBot(caller, 'one')], [true, false]);
  const [row] = await sql<{ text: string }[]>`select admin_tokens::text as text from admin_tokens`;
  assert.equal(row?.text.includes(made.token.slice(12)), false);
  for (const wrong of [
    `${made.token}x`,
    made.token.slice(0, -1),
    made.token.slice(12),
    made.token.toUpperCase(),
    '',
  ]) {
    assert.equal(await findAdminCaller(sql, wrong, { now }), null);
  }
  for (const at of [now + 1, now + 2]) await revokeAdminToken(sql, { tokenId: made.tokenId, now: at });
  assert.equal(await findAdminCaller(sql, made.token, { now }), null);
  assert.deepEqual((await findAdminToken(sql, made.tokenId)).revokedAt, new Date(now + 1));
});

test('a token ends at its time, and with it the sessions that it opened', async (t) => {
  const { sql } = await testDatabase(t);
  const expiresAt = now + minuteMs;
  const asked = { name: '', scope: 'read', botIds: null, expiresAt } as const;
  const { token, tokenId } = await createAdminToken(sql, asked, making);
  const session = await openSession(sql, { tokenId }, making);
  assert.deepEqual((await findAdminToken(sql, tokenId)).expiresAt, new Date(expiresAt));
  const before = await findSessionCaller(sql, session, { now: expiresAt - 1 });
  assert.equal(before?.session.expiresAt, expiresAt);
  assert.equal((await findAdminCaller(sql, token, { now: expiresAt - 1 }))?.tokenId, tokenId);
  assert.equal(await findAdminCaller(sql, token, { now: expiresAt }), null);
  assert.equal(await findSessionCaller(sql, session, { now: expiresAt }), null);
  for (const wrong of [now, now - 1, Number.NaN]) {
    const refused = createAdminToken(sql, { ...asked, expiresAt: wrong }, making);
    await assert.rejects(refused, { code: 'INPUT_INVALID' });
  }
});

test('the last use is stored at most once a minute', async (t) => {
  const { sql } = await testDatabase(t);
  const { token, tokenId } = await createAdminToken(sql, { name: '', scope: 'admin', botIds: null }, making);
  const usedAt = async () => (await findAdminToken(sql, tokenId)).lastUsedAt?.getTime();
  const use = (at: number) => findAdminCaller(sql, token, { now: at });
  assert.equal(await usedAt(), undefined);
  await Promise.all([use(now), use(now), use(now)]);
  assert.equal(await usedAt(), now);
  await use(now + minuteMs - 1);
  assert.equal(await usedAt(), now);
  const [before] = await sql`select xmin::text as version from admin_tokens`;
  await use(now + 1);
  assert.deepEqual((await sql`select xmin::text as version from admin_tokens`)[0], before);
  await use(now + minuteMs);
  assert.equal(await usedAt(), now + minuteMs);
});

test('a token for an unknown bot, for no bot, or with an invalid name is refused', async (t) => {
  const { sql } = await testDatabase(t);
  const make = (name: string, botIds: string[] | null) =>
    createAdminToken(sql, { name, scope: 'read', botIds }, making);
  await assert.rejects(make('', ['unknown']), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(make('', []), { code: 'INPUT_INVALID' });
  await assert.rejects(make('a\nb', null), { code: 'INPUT_INVALID' });
  await assert.rejects(make('x'.repeat(201), null), { code: 'INPUT_INVALID' });
  assert.deepEqual([...(await listAdminTokens(sql))], []);
  await assert.rejects(revokeAdminToken(sql, { tokenId: 'unknown', now }), { code: 'ADMIN_TOKEN_NOT_FOUND' });
});
