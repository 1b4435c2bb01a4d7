import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { Unreadable } from './delivery.ts';
import { fingerprint, readMetaId, readTime, readTimeOrNone, undatedAt, verifyHandshake } from './meta.ts';

const handshake = { 'hub.mode': 'subscribe', 'hub.verify_token': 'token', 'hub.challenge': '1158201444' };

test('a handshake with the right token is answered with its challenge', () => {
  assert.equal(verifyHandshake(handshake, 'token'), '1158201444');
});

test('a handshake with a wrong, missing or repeated part is refused', () => {
  const others: Record<string, unknown>[] = [
    {},
    { ...handshake, 'hub.mode': 'unsubscribe' },
    { ...handshake, 'hub.verify_token': 'Token' },
    { ...handshake, 'hub.verify_token': '' },
    { ...handshake, 'hub.verify_token': ['token', 'token'] },
    { ...handshake, 'hub.challenge': undefined },
    { ...handshake, 'hub.challenge': '' },
    { ...handshake, 'hub.challenge': ['1', '2'] },
    { ...handshake, 'hub.challenge': 'x'.repeat(1_001) },
  ];
  for (const query of others) assert.equal(verifyHandshake(query, 'token'), null);
});

test('a channel without a verify token refuses every handshake', () => {
  assert.equal(verifyHandshake({ ...handshake, 'hub.verify_token': '' }, ''), null);
});

test('times are read from ms, from s, and from texts of either', () => {
  const at = Date.UTC(2026, 2, 2, 7, 0, 37);
  for (const time of [at, at / 1_000, String(at), String(at / 1_000)])
    assert.equal(readTime(time, 'timestamp'), at);
  assert.equal(readTime(at + 131, 'timestamp'), at + 131);
});

test('a time outside the years 2000 to 2199 is unreadable', () => {
  const others = [
    undefined,
    null,
    true,
    '',
    'now',
    '1e12',
    '-1772434837',
    ' 1772434837',
    0,
    -1,
    1.5,
    1772434837123.5,
    946_684_799,
    99_999_999_999,
    7_258_118_400_000,
    1e300,
    {},
    [],
  ];
  for (const time of others) assert.throws(() => readTime(time, 'timestamp'), Unreadable, String(time));
});

test('only an event without any time is undated', () => {
  assert.equal(readTimeOrNone(undefined, 'time'), undatedAt);
  assert.equal(readTimeOrNone(null, 'time'), undatedAt);
  assert.equal(readTimeOrNone(1_772_434_837, 'time'), 1_772_434_837_000);
  assert.throws(() => readTimeOrNone('soon', 'time'), Unreadable);
});

test('ids may be numbers if the number is exact', () => {
  assert.equal(readMetaId(144792899659708, 'id'), '144792899659708');
  assert.equal(readMetaId('144792899659708', 'id'), '144792899659708');
  for (const id of [1e300, 2 ** 53, 0.5, true, {}]) assert.throws(() => readMetaId(id, 'id'), Unreadable);
});

test('a fingerprint is the same for any order of names, and differs for any other difference', () => {
  assert.equal(fingerprint({ a: 1, b: [{ c: 2, d: 3 }] }), fingerprint({ b: [{ d: 3, c: 2 }], a: 1 }));
  const values = [
    null,
    0,
    '0',
    [],
    {},
    [0],
    ['0'],
    [[0]],
    { a: 0 },
    { a: '0' },
    { b: 0 },
    [1, 2],
    [2, 1],
    '',
  ];
  assert.equal(new Set(values.map(fingerprint)).size, values.length);
});

test('a fingerprint is the same after any value was written and read again', async (t) => {
  await holds(
    t,
    fc.property(fc.jsonValue(), (value) => {
      const again: unknown = JSON.parse(JSON.stringify(value, null, 2));
      assert.equal(fingerprint(again), fingerprint(JSON.parse(JSON.stringify(value))));
      assert.match(fingerprint(again), /^[\w-]{22}$/);
    }),
  );
});

test('a value nested too deep is unreadable instead of overflowing the stack', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  assert.throws(() => fingerprint(deep), Unreadable);
});
