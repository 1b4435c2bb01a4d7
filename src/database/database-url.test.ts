/**
 * DATABASE_URL with any password: it is read correctly, and no part of it becomes a host.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { Refusal } from '../errors.ts';
import { hostsOf, placeOf, readDatabaseUrl, withHosts } from './database-url.ts';

test('a password with characters that a URL must escape is read literally', () => {
  const passwords = [
    'p@ss',
    'p#ss',
    'p/ss',
    'p?ss',
    'p:ss',
    'p%ss',
    'p@#/?:%',
    'p,w@x',
    '@',
    '#1',
    'p@s?s',
    '密碼',
  ];
  for (const password of passwords) {
    const url = readDatabaseUrl(`postgres://me:${password}@db.example:5432/shoal`);
    const parsed = new URL(url);
    assert.equal(parsed.hostname, 'db.example', password);
    assert.equal(decodeURIComponent(parsed.password), password);
    assert.equal(placeOf(url), 'db.example:5432/shoal');
  }
});

test('an escaped password, several hosts, sockets and settings stay unchanged', () => {
  const same = [
    'postgres://me:p%40ss%23@db.example/shoal',
    'postgres://me:secret@one:5432,two:5433/shoal',
    'postgres://me@[::1]:5432/shoal',
    'postgres:///shoal?host=/run/postgresql',
    'postgres://me:secret@db/shoal?application_name=a%40b&sslmode=require',
  ];
  for (const url of same) assert.equal(readDatabaseUrl(url), url);
  assert.equal(readDatabaseUrl('postgresql://me:secret@db/shoal'), 'postgres://me:secret@db/shoal');
});

test('the hosts of a URL can be replaced, without a change of account, name or settings', () => {
  const url = readDatabaseUrl('postgres://me:p@ss/w@one:5433,two/shoal?sslmode=require');
  assert.deepEqual(hostsOf(url), ['one:5433', 'two:5432']);
  assert.equal(withHosts(url, ['two:5432']), 'postgres://me:p%40ss%2Fw@two:5432/shoal?sslmode=require');
  assert.deepEqual(hostsOf('postgres://[::1]/shoal'), ['[::1]:5432']);
  assert.deepEqual(hostsOf('postgres:///shoal?host=/run/postgresql'), []);
});

test('no error and no place contains any part of a password', async (t) => {
  const text = fc.string({ minLength: 4, maxLength: 12, unit: fc.constantFrom(...'@#/?:%,[]\\ aZ1=&') });
  const formats = [
    (password: string) => `postgres://me:Q${password}Q@db.example:5432/shoal`,
    (password: string) => `postgres:/me:Q${password}Q@db.example/shoal`,
    (password: string) => `http://me:Q${password}Q@db.example/shoal`,
    (password: string) => `postgres://me:Q${password}Q@db example/shoal`,
  ];
  await holds(
    t,
    fc.property(text, fc.constantFrom(...formats), (password, format) => {
      try {
        assert.equal(placeOf(readDatabaseUrl(format(password))), 'db.example:5432/shoal');
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        assert.doesNotMatch(error.message, /Q/);
      }
    }),
    { runs: 2_000 },
  );
});
