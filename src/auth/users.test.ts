import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { Refusal } from '../errors.ts';
import { Passwords } from './passwords.ts';
import { createUser, removeUserUnlessLast, updateUser } from './users.ts';

test('a user who became the last administrator while the password was hashed cannot be demoted', async (t) => {
  const { sql } = await testDatabase(t);
  const random = seededBytes(1);
  const passwords = new Passwords({ random, cost: { ln: 8, r: 8, p: 1 } });
  const password = 'correct horse battery';
  const create = (name: string, scope: 'admin' | 'write') =>
    createUser(sql, { name, scope, botIds: null, password }, { now: 0, random, passwords });
  const first = await create('first', 'admin');
  const second = await create('second', 'write');
  const slow = Object.assign(Object.create(passwords), {
    async hash() {
      await updateUser(sql, second.userId, { scope: 'admin' }, { passwords, keptSession: null });
      await sql.begin((tx) => removeUserUnlessLast(tx, first.userId));
      return passwords.hash(password);
    },
  }) as Passwords;
  await assert.rejects(
    updateUser(sql, second.userId, { scope: 'write', password }, { passwords: slow, keptSession: null }),
    (error) => error instanceof Refusal && error.code === 'LAST_ADMIN',
  );
});
