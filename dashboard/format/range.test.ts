import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  daysMax,
  problemOfQuery,
  problemOfRange,
  queryOfRange,
  rangeOf,
  stepRange,
  viewOf,
} from './range.ts';

/** Sunday, 23:30 in Taipei. */
const now = Date.parse('2026-03-01T15:30:00Z');
const today = '2026-03-01';
const defaultRange = { from: '2026-02-02', to: today, days: 28, name: null };

test('a range ends today in the time zone of the bot, not of the browser', () => {
  assert.deepEqual(rangeOf({ days: '7' }, 'Asia/Taipei', now), {
    ...{ from: '2026-02-23', to: '2026-03-01', days: 7, name: null },
  });
  assert.deepEqual(rangeOf({ days: '1' }, 'Asia/Tokyo', now), {
    ...{ from: '2026-03-02', to: '2026-03-02', days: 1, name: null },
  });
});

test('a named range is a whole day, week from Monday, or calendar month', () => {
  for (const [range, from, to] of [
    ['yesterday', '2026-02-28', '2026-02-28'],
    ['this-week', '2026-02-23', '2026-03-01'],
    ['last-week', '2026-02-16', '2026-02-22'],
    ['this-month', '2026-03-01', '2026-03-31'],
    ['last-month', '2026-02-01', '2026-02-28'],
  ] as const) {
    assert.deepEqual(rangeOf({ range }, 'Asia/Taipei', now), { from, to, days: null, name: range });
  }
  assert.deepEqual(rangeOf({ since: '2024-05-01' }, 'Asia/Taipei', now), {
    ...{ from: '2024-05-01', to: today, days: null, name: 'all' },
  });
});

test('an address with an invalid range gives the default range', () => {
  for (const query of [
    {},
    { days: '8' },
    { days: 'x' },
    { range: 'next-week' },
    { since: '2026-04-01' },
    { from: '2026-02-30', to: '2026-03-01' },
    { from: '2026-03-02', to: '2026-03-01' },
    { from: '2010-01-01', to: '2026-03-01' },
    { from: '2026-03-01' },
  ]) {
    assert.deepEqual(rangeOf(query, 'Asia/Taipei', now), defaultRange, JSON.stringify(query));
  }
});

test('an invalid range in an address is a problem; a missing one is not', () => {
  for (const [query, problem] of [
    [{}, null],
    [{ days: '7' }, null],
    [{ range: 'last-month' }, null],
    [{ from: '2026-02-01', to: '2026-02-28' }, null],
    [{ days: '8' }, 'unreadable'],
    [{ range: 'next-week' }, 'unreadable'],
    [{ since: 'x' }, 'unreadable'],
    [{ from: '2026-02-30', to: '2026-03-01' }, 'unreadable'],
    [{ from: '2026-03-01' }, 'unreadable'],
    [{ to: 'x', days: '7' }, 'unreadable'],
    [{ from: '2026-03-02', to: '2026-03-01' }, 'backwards'],
    [{ from: '2010-01-01', to: '2026-03-01' }, 'too-long'],
  ] as const) {
    assert.equal(problemOfQuery(query), problem, JSON.stringify(query));
  }
});

test('a range becomes the query that it was read from', () => {
  const none = { from: null, to: null, days: null, range: null, since: null };
  for (const query of [
    { ...none, days: '365' },
    none,
    { ...none, range: 'this-week' },
    { ...none, since: '2024-05-01' },
    { ...none, from: '2026-02-01', to: '2026-02-28' },
  ]) {
    const parameters = Object.fromEntries(
      Object.entries(query).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    );
    assert.deepEqual(queryOfRange(rangeOf(parameters, 'Asia/Taipei', now)), query);
  }
});

test('a step moves by the length of the range, and by calendar months for whole months', () => {
  const step = (from: string, to: string, direction: 1 | -1) => {
    const range = stepRange({ from, to }, direction, today);
    return [range.from, range.to, range.name ?? range.days];
  };
  assert.deepEqual(step('2026-02-02', '2026-03-01', -1), ['2026-01-05', '2026-02-01', null]);
  assert.deepEqual(step('2026-01-05', '2026-02-01', 1), ['2026-02-02', '2026-03-01', 28]);
  assert.deepEqual(step('2026-03-01', '2026-03-31', -1), ['2026-02-01', '2026-02-28', 'last-month']);
  assert.deepEqual(step('2026-02-01', '2026-02-28', 1), ['2026-03-01', '2026-03-31', 'this-month']);
  assert.deepEqual(step('2025-12-01', '2026-01-31', -1), ['2025-10-01', '2025-11-30', null]);
  assert.deepEqual(step('2026-03-01', '2026-03-01', -1), ['2026-02-28', '2026-02-28', 'yesterday']);
});

test('long ranges are grouped, because thousands of days are no readable chart', () => {
  const by = (query: Record<string, string>) => viewOf(query, 'Asia/Taipei', now).by;
  assert.equal(by({}), 'day');
  assert.equal(by({ by: 'month' }), 'month');
  assert.equal(by({ since: '2024-05-01' }), 'week');
  assert.equal(by({ since: '2020-05-01', by: 'day' }), 'month');
});

test('one day is a range, and the longest range has the length that the API accepts', () => {
  assert.equal(daysMax, 3_700);
  assert.equal(problemOfRange('2026-03-01', '2026-03-01'), null);
  assert.equal(problemOfRange('2016-01-15', '2026-03-02'), null);
  assert.equal(problemOfRange('2016-01-14', '2026-03-02'), 'too-long');
  assert.equal(problemOfRange('', '2026-03-05'), 'unreadable');
});
