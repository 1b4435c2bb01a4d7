import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemOfQuery, problemOfRange, queryOfRange, rangeOf } from './range.ts';

const now = Date.parse('2026-03-01T15:30:00Z');

test('days end with today where the bot is, not where the reader is', () => {
  assert.deepEqual(rangeOf({ days: '7' }, 'Asia/Taipei', now), {
    from: '2026-02-23',
    to: '2026-03-01',
    days: 7,
  });
  assert.deepEqual(rangeOf({ days: '1' }, 'Asia/Tokyo', now), {
    from: '2026-03-02',
    to: '2026-03-02',
    days: 1,
  });
});

test('what an address asks for in vain is the usual range', () => {
  const usual = { from: '2026-02-02', to: '2026-03-01', days: 28 };
  for (const query of [
    {},
    { days: '8' },
    { days: 'x' },
    { from: '2026-02-30', to: '2026-03-01' },
    { from: '2026-03-02', to: '2026-03-01' },
    { from: '2020-01-01', to: '2026-03-01' },
    { from: '2026-03-01' },
  ]) {
    assert.deepEqual(rangeOf(query, 'Asia/Taipei', now), usual, JSON.stringify(query));
  }
});

test('an address that asks in vain has a problem, and one that asks for nothing has none', () => {
  for (const [query, problem] of [
    [{}, null],
    [{ days: '7' }, null],
    [{ from: '2026-02-01', to: '2026-02-28' }, null],
    [{ days: '8' }, 'unreadable'],
    [{ from: '2026-02-30', to: '2026-03-01' }, 'unreadable'],
    [{ from: '2026-03-01' }, 'unreadable'],
    [{ to: 'x', days: '7' }, 'unreadable'],
    [{ from: '2026-03-02', to: '2026-03-01' }, 'backwards'],
    [{ from: '2020-01-01', to: '2026-03-01' }, 'too-long'],
  ] as const) {
    assert.equal(problemOfQuery(query), problem, JSON.stringify(query));
  }
});

test('an address says again what it was read from', () => {
  for (const query of [
    { days: '365', from: null, to: null },
    { days: null, from: null, to: null },
    { days: null, from: '2026-02-01', to: '2026-02-28' },
  ]) {
    const written = Object.fromEntries(
      Object.entries(query).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    );
    assert.deepEqual(queryOfRange(rangeOf(written, 'Asia/Taipei', now)), query);
  }
});

test('a range of one day is one, and the longest is as long as the API answers', () => {
  assert.equal(problemOfRange('2026-03-01', '2026-03-01'), null);
  assert.equal(problemOfRange('2023-03-01', '2026-03-04'), null);
  assert.equal(problemOfRange('2023-03-01', '2026-03-05'), 'too-long');
  assert.equal(problemOfRange('', '2026-03-05'), 'unreadable');
});
