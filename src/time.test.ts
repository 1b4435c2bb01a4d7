import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addDays, countDays, daysBetween, isCalendarDay, isDay, isInstant, isTime } from './time.ts';

test('days and instants are those of the years 2000 to 2199', () => {
  for (const day of ['2000-01-01', '2024-02-29', '2199-12-31']) {
    assert.ok(isDay(day), day);
    assert.ok(isInstant(`${day}T12:00:00+08:00`), day);
  }
  const others = [
    '0000-01-01',
    '1999-12-31',
    '2200-01-01',
    '9999-12-31',
    '10000-01-01',
    '2026-02-29',
    '2026-3-1',
    '',
  ];
  for (const day of others) {
    assert.ok(!isDay(day), day);
    assert.ok(!isInstant(`${day}T12:00:00Z`), day);
  }
  for (const text of ['2026-03-01', '2026-03-01T10:00:00', '2016-12-31T23:59:60Z', '2026-03-01T24:00:00Z'])
    assert.ok(!isInstant(text), text);
  assert.deepEqual(
    [
      946_684_799_999,
      946_684_800_000,
      7_258_118_399_999,
      7_258_118_400_000,
      -8.64e15,
      Number.NaN,
      '946684800000',
    ].map(isTime),
    [false, true, true, false, false, false, false],
  );
  assert.deepEqual(['1950-05-17', '0001-01-01', '0000-01-01', '1950-02-30'].map(isCalendarDay), [
    true,
    true,
    false,
    false,
  ]);
});

test('a list of days is finite for any first and last day', () => {
  assert.deepEqual(daysBetween('2026-02-27', '2026-03-02'), [
    '2026-02-27',
    '2026-02-28',
    '2026-03-01',
    '2026-03-02',
  ]);
  assert.deepEqual(daysBetween('2026-03-02', '2026-03-01'), []);
  assert.equal(countDays('2000-01-01', '2199-12-31'), 73_049);
  const before = addDays('0000-01-01', -29);
  assert.ok(daysBetween(before, '0000-01-01').length < 100);
});
