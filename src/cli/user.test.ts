import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { commandRunner } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { Passwords } from '../auth/passwords.ts';
import { findSessionCaller, openSession } from '../auth/sessions.ts';
import type { Sql } from '../database/client.ts';
import { readPassword } from './read-password.ts';
import { register } from './user.ts';

const now = Date.parse('2026-03-15T03:00:00Z');
const password = 'correct horse battery staple';

const runner = (sql: Sql, typed: string) =>
  commandRunner(
    sql,
    (program, context) => register(program, { ...context, readPassword: async () => typed }),
    { now },
  );

test('a user is created with a piped password, listed without it, gets a new password, and is removed', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('one', 'Shop')`;
  const run = runner(sql, password);
  const call = async (...args: string[]) => JSON.parse((await run('user', ...args, '--json')).out);
  const { userId, ...details } = await call('create', '--name', 'Ming');
  assert.deepEqual(details, { name: 'Ming', scope: 'read', botIds: null });
  const some = await call('create', '--name', 'Yuki', '--scope', 'admin', '--bot', 'one');
  assert.deepEqual([some.scope, some.botIds], ['admin', ['one']]);
  const storedHash = async () => {
    const [row] = await sql<
      { hash: string }[]
    >`select password_hash as hash from users where user_id = ${userId}`;
    return row?.hash ?? '';
  };
  const passwords = new Passwords({ random: randomBytes });
  assert.deepEqual(await passwords.check(password, await storedHash()), { isRight: true, isOutdated: false });

  const { users } = await call('list');
  assert.equal(JSON.stringify(users).includes('scrypt'), false);
  const at = new Date(now).toISOString();
  assert.deepEqual((await run('user', 'list')).out.split('\n'), [
    `${userId}  Ming  read  all bots  created ${at}  never signed in`,
    `${some.userId}  Yuki  admin  one  created ${at}  never signed in`,
  ]);

  const session = await openSession(sql, { userId }, { now, random: randomBytes });
  const other = runner(sql, 'another long password');
  await other('user', 'password', 'MING');
  assert.equal((await passwords.check('another long password', await storedHash())).isRight, true);
  assert.equal(await findSessionCaller(sql, session, { now }), null);
  assert.deepEqual(await call('remove', 'ming'), { userId });
  assert.deepEqual((await call('list')).users.length, 1);
});

test('an existing or unknown name, an unknown bot and a weak password are refused', async (t) => {
  const { sql } = await testDatabase(t);
  const run = runner(sql, password);
  await run('user', 'create', '--name', 'Ming');
  await assert.rejects(run('user', 'create', '--name', 'ＭＩＮＧ'), { code: 'USER_EXISTS' });
  await assert.rejects(run('user', 'create', '--name', 'A', '--bot', 'missing'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('user', 'create', '--name', ' A'), { code: 'INPUT_INVALID' });
  await assert.rejects(run('user', 'password', 'missing'), { code: 'USER_NOT_FOUND' });
  await assert.rejects(run('user', 'remove', 'missing'), { code: 'USER_NOT_FOUND' });
  const weak = runner(sql, 'short');
  await assert.rejects(weak('user', 'password', 'Ming'), { code: 'INPUT_INVALID' });
});

test('a password typed in a terminal is not echoed, and is requested twice', async () => {
  const typed = async (...lines: string[]) => {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
    const shown = new PassThrough();
    const read = readPassword(input as never, shown);
    read.catch(() => undefined);
    for (const line of lines) {
      while (!shown.readableLength) await new Promise((resolve) => setImmediate(resolve));
      input.write(line);
      shown.read();
    }
    return { password: await read, shown: String(shown.read() ?? '') };
  };
  const { password: read, shown } = await typed('secret wordd\x7f\r', 'secret word\r');
  assert.equal(read, 'secret word');
  assert.doesNotMatch(shown, /secret/);
  await assert.rejects(typed('secret word\r', 'other word\r'), /do not match/);
  await assert.rejects(typed('secret\x03'), { code: 'INPUT_INVALID' });
});

test('the first line of a pipe is the password', async () => {
  const piped = (text: string) => {
    const input = new PassThrough();
    input.end(text);
    return readPassword(input as never, new PassThrough());
  };
  assert.equal(await piped('secret word \r\nmore\n'), 'secret word ');
  await assert.rejects(piped('\n'), { code: 'INPUT_INVALID' });
});
