/**
 * API pairs: the content of a token, the stored part of a secret, and refreshes.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { testDatabase } from '../../tests/harness/database.ts';
import { createBot, renewPair } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { dayMs } from '../time.ts';
import { findCredential, hashSecret, isReplaced, isSecretOf, readToken, refreshPair } from './api-pairs.ts';
import { openKeys } from './keys.ts';

const keys = await openKeys({
  secretKey: 'a secret key for tests, long enough',
  dataFolder: '',
  random: randomBytes,
});
const now = Date.parse('2026-03-01T00:00:00Z');
const making = { now, random: randomBytes, keys };

function makeBot(sql: Sql) {
  return createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, making);
}

test('a token is a JWT (HS256) that names bot and pair and lives 30 days', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId, apiToken } = await makeBot(sql);
  assert.deepEqual(decodeProtectedHeader(apiToken), { alg: 'HS256', typ: 'JWT' });
  const pairId = (await findCredential(sql, botId))?.credential?.pairId;
  const claims = { sub: botId, jti: pairId, iat: now / 1_000, exp: (now + 30 * dayMs) / 1_000 };
  assert.deepEqual(decodeJwt(apiToken), claims);
  assert.deepEqual(await readToken(keys, apiToken), { botId, pairId, expiresAt: now + 30 * dayMs });
});

test('a token of another key, another algorithm or another shape is not accepted', async () => {
  const sign = (claims: Record<string, unknown>, alg = 'HS256', key = keys.current.tokenKey) =>
    new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
  const claims = { sub: 'AbCdEfGhI', jti: 'x', exp: 1 };
  assert.notEqual(await readToken(keys, await sign(claims)), null);
  const others = [
    await sign(claims, 'HS256', randomBytes(32)),
    await sign(claims, 'HS512', Buffer.concat([keys.current.tokenKey, keys.current.tokenKey])),
    await sign({ sub: 'AbCdEfGhI', exp: 1 }),
    await sign({ ...claims, exp: '1' }).catch(() => ''),
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`,
    'a.b.c',
    '',
  ];
  for (const token of others) assert.equal(await readToken(keys, token), null, token);
});

test('a token has one spelling: unused bits of its last character are zero', async () => {
  const token = await new SignJWT({ sub: 'AbCdEfGhI', jti: 'x', exp: 1 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(keys.current.tokenKey);
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = digits.indexOf(token.slice(-1));
  assert.notEqual(await readToken(keys, token), null);
  for (const bits of [1, 2, 3]) {
    const other = token.slice(0, -1) + digits[last + bits];
    assert.deepEqual(Buffer.from(other, 'base64url'), Buffer.from(token, 'base64url'));
    assert.equal(await readToken(keys, other), null, other);
  }
});

test('only the hash of a secret is stored, and only the secret matches it', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId, apiSecret } = await makeBot(sql);
  assert.equal(Buffer.from(apiSecret, 'base64url').length, 32);
  const credential = (await findCredential(sql, botId))?.credential;
  assert.ok(credential);
  assert.equal(isSecretOf(credential, hashSecret(apiSecret)), true);
  for (const wrong of ['', `${apiSecret} `, apiSecret.slice(1), randomBytes(32).toString('base64url')]) {
    assert.equal(isSecretOf(credential, hashSecret(wrong)), false);
  }
  const [row] = await sql<{ text: string }[]>`select api_pairs::text as text from api_pairs`;
  assert.equal(row?.text.includes(apiSecret), false);
});

test('one of several concurrent refreshes gets the new pair, the others are refused as replaced', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId } = await makeBot(sql);
  const before = (await findCredential(sql, botId))?.credential;
  assert.ok(before);
  const refreshes = Array.from({ length: 6 }, () =>
    refreshPair(sql, { botId, pairId: before.pairId }, making),
  );
  const outcomes = await Promise.allSettled(refreshes);
  const [pair, ...more] = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : [],
  );
  assert.deepEqual(more, []);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      assert.ok(outcome.reason instanceof Refusal && outcome.reason.code === 'PAIR_REPLACED');
  }
  const after = (await findCredential(sql, botId))?.credential;
  assert.ok(pair && after && isSecretOf(after, hashSecret(pair.apiSecret)));
  assert.equal(await isReplaced(sql, botId, before.pairId), true);
  assert.equal(await isReplaced(sql, botId, after.pairId), false);
  assert.equal(await isReplaced(sql, botId, 'never'), false);
});

test('the owner gets a new pair in any state of the old one; two concurrent calls leave one valid pair', async (t) => {
  const { sql } = await testDatabase(t);
  const { botId } = await makeBot(sql);
  const pairs = await Promise.all([renewPair(sql, botId, making), renewPair(sql, botId, making)]);
  const credential = (await findCredential(sql, botId))?.credential;
  assert.ok(credential);
  assert.equal(pairs.filter(({ apiSecret }) => isSecretOf(credential, hashSecret(apiSecret))).length, 1);
  await sql`update api_pairs set replaced_at = now()`;
  assert.deepEqual(await findCredential(sql, botId), { credential: null });
  await renewPair(sql, botId, making);
  assert.notEqual((await findCredential(sql, botId))?.credential, null);
  await assert.rejects(renewPair(sql, 'unknown', making), { code: 'BOT_NOT_FOUND' });
});
