import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemOfQuery, problemOfRange, queryOfRange, rangeOf } from './range.ts';

const now = Date.parse('2026-03-01T15:30:00Z');

test('a range ends today in the time zone of the bot, not of the browser', () => {
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

test('an address with an invalid range gives the default range', () => {
  const defaultRange = { from: '2026-02-02', to: '2026-03-01', days: 28 };
  for (const query of [
    {},
    { days: '8' },
    { days: 'x' },
    { from: '2026-02-30', to: '2026-03-01' },
    { from: '2026-03-02', to: '2026-03-01' },
    { from: '2020-01-01', to: '2026-03-01' },
    { from: '2026-03-01' },
  ]) {
    assert.deepEqual(rangeOf(query, 'Asia/Taipei', now), defaultRange, JSON.stringify(query));
  }
});

test('an invalid range in an address is a problem; a missing one is not', () => {
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

test('a range becomes the query that it was read from', () => {
  for (const query of [
    { days: '365', from: null, to: null },
    { days: null, from: null, to: null },
    { days: null, from: '2026-02-01', to: '2026-02-28' },
  ]) {
    const parameters = Object.fromEntries(
      Object.entries(query).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    );
    assert.deepEqual(queryOfRange(rangeOf(parameters, 'Asia/Taipei', now)), query);
  }
});

test('one day is a range, and the longest range has the length that the API accepts', () => {
  assert.equal(problemOfRange('2026-03-01', '2026-03-01'), null);
  assert.equal(problemOfRange('2023-03-01', '2026-03-04'), null);
  assert.equal(problemOfRange('2023-03-01', '2026-03-05'), 'too-long');
  assert.equal(problemOfRange('', '2026-03-05'), 'unreadable');
});
