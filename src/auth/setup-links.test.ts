import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import type { Sql } from '../database/client.ts';
import { hourMs } from '../time.ts';
import { createAdminToken } from './admin-tokens.ts';
import { Passwords } from './passwords.ts';
import { findSessionCaller } from './sessions.ts';
import { createFirstSetupLink, createSetupLink, useSetupLink } from './setup-links.ts';
import { listUsers } from './users.ts';

const now = Date.parse('2026-03-15T03:00:00Z');
const making = { address: 'https://shoal.example', now, random: randomBytes };
const person = { name: 'ming', password: 'a long enough password, 海風' };
const passwords = new Passwords({ random: randomBytes });

const use = (
  sql: Sql,
  url: string,
  { at = now, ...changed }: Partial<typeof person> & { at?: number } = {},
) =>
  useSetupLink(
    { sql, passwords, attemptKey: new Uint8Array(32), random: randomBytes, log: { info() {} } },
    { token: new URL(url).hash.slice(1), ...person, ...changed, address: '192.0.2.1', now: at },
  );

test('a setup link creates one admin of all bots, who is signed in, and then no setup link works', async (t) => {
  const { sql } = await testDatabase(t);
  const { url, expiresAt } = await createSetupLink(sql, making);
  const other = await createSetupLink(sql, making);
  assert.match(url, /^https:\/\/shoal\.example\/setup#[\w-]{43}$/);
  assert.equal(expiresAt.getTime(), now + hourMs);
  const session = await use(sql, url);
  const caller = await findSessionCaller(sql, session, { now });
  assert.deepEqual([caller?.name, caller?.scope, caller?.botIds], ['ming', 'admin', null]);
  for (const used of [url, other.url])
    await assert.rejects(use(sql, used, { name: 'kai' }), { code: 'SETUP_LINK_INVALID' });
  assert.equal((await listUsers(sql)).length, 1);
});

test('two concurrent uses of a setup link create one user', async (t) => {
  const { sql } = await testDatabase(t);
  const { url } = await createSetupLink(sql, making);
  const uses = await Promise.allSettled(['ming', 'kai'].map((name) => use(sql, url, { name })));
  assert.deepEqual(uses.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal((await listUsers(sql)).length, 1);
});

test('a refused password or name leaves the setup link valid until its hour is over', async (t) => {
  const { sql } = await testDatabase(t);
  const { url } = await createSetupLink(sql, making);
  await assert.rejects(use(sql, url, { password: 'short' }), { code: 'INPUT_INVALID' });
  await assert.rejects(use(sql, url, { name: ' ' }), { code: 'INPUT_INVALID' });
  await assert.rejects(use(sql, url, { at: now + hourMs }), { code: 'SETUP_LINK_INVALID' });
  await assert.rejects(use(sql, 'https://shoal.example/setup#unknown'), { code: 'SETUP_LINK_INVALID' });
  await use(sql, url, { at: now + hourMs - 1 });
});

test('the link of a first start is valid while there is no user and no admin token, a later start gets none', async (t) => {
  const { sql } = await testDatabase(t);
  const first = await createFirstSetupLink(sql, making);
  assert.ok(first);
  const token = { name: 'crm', scope: 'read', botIds: null } as const;
  await createAdminToken(sql, token, { now, random: randomBytes });
  assert.equal(await createFirstSetupLink(sql, making), null);
  await assert.rejects(use(sql, first.url), { code: 'SETUP_LINK_INVALID' });
  await use(sql, (await createSetupLink(sql, making)).url);
  assert.equal(await createFirstSetupLink(sql, making), null);
});
