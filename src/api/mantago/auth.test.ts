/**
 * Tokens as they come in a header: which are taken, and that a remembered one is still asked for its time.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { openKeys } from '../../auth/keys.ts';
import { Tokens } from './auth.ts';

const keys = await openKeys({
  secretKey: 'a secret key for tests, long enough',
  dataFolder: '',
  random: randomBytes,
});
const now = Date.parse('2026-03-01T00:00:00Z');

function sign(exp: number): Promise<string> {
  const jwt = new SignJWT({ sub: 'AbCdEfGhI', jti: 'pair', exp });
  return jwt.setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(keys.current.tokenKey);
}

test('a cached token is refused as soon as it has expired, and accepted where an expired one may be', async () => {
  const tokens = new Tokens(keys);
  const header = `Bearer ${await sign(now / 1_000 + 60)}`;
  const claims = { botId: 'AbCdEfGhI', pairId: 'pair', expiresAt: now + 60_000 };
  const read = (at: number, expiredToo = false) => tokens.read(header, { now: at, expiredToo });
  assert.deepEqual(await read(now), claims);
  assert.deepEqual(await read(now + 59_999), claims);
  await assert.rejects(read(now + 60_000), { code: 'TOKEN_INVALID' });
  assert.deepEqual(await read(now + 60_000, true), claims);
});

test('the scheme may be in any case, and anything but a bearer token is refused', async () => {
  const tokens = new Tokens(keys);
  const token = await sign(now / 1_000 + 60);
  const read = (header: string | undefined) => tokens.read(header, { now, expiredToo: true });
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
    assert.equal((await read(`${scheme} ${token}`)).pairId, 'pair');
  }
  const wrong = [
    undefined,
    '',
    token,
    `Basic ${token}`,
    'Bearer',
    'Bearer ',
    `Bearer ${token} x`,
    `Bearer ${token}.x`,
  ];
  for (const header of [...wrong, `Bearer ${'a'.repeat(2_000)}.b.c`, `Bearer ${token.slice(0, -1)}`]) {
    await assert.rejects(read(header), { code: 'TOKEN_INVALID' }, String(header));
  }
});
