/**
 * Periods of days.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PeriodUnit, periodsOf } from './periods.ts';

const periodTexts = (by: PeriodUnit, from: string, to: string) =>
  periodsOf({ from, to, by }).map(({ name, first, last }) => `${name} ${first}..${last}`);

test('a range is split into days, ISO weeks or months, cut at its ends', () => {
  assert.deepEqual(periodTexts('day', '2024-02-28', '2024-03-01'), [
    '2024-02-28 2024-02-28..2024-02-28',
    '2024-02-29 2024-02-29..2024-02-29',
    '2024-03-01 2024-03-01..2024-03-01',
  ]);
  assert.deepEqual(periodTexts('week', '2026-02-27', '2026-03-03'), [
    '2026-W09 2026-02-27..2026-03-01',
    '2026-W10 2026-03-02..2026-03-03',
  ]);
  assert.deepEqual(periodTexts('month', '2025-12-31', '2026-03-01'), [
    '2025-12 2025-12-31..2025-12-31',
    '2026-01 2026-01-01..2026-01-31',
    '2026-02 2026-02-01..2026-02-28',
    '2026-03 2026-03-01..2026-03-01',
  ]);
  for (const by of ['day', 'week', 'month'] as const) {
    assert.equal(periodTexts(by, '2026-03-02', '2026-03-02').length, 1);
    assert.deepEqual(periodTexts(by, '2026-03-02', '2026-03-01'), []);
  }
});

test('a week belongs to the year of its Thursday', () => {
  assert.deepEqual(periodTexts('week', '2020-12-28', '2021-01-04'), [
    '2020-W53 2020-12-28..2021-01-03',
    '2021-W01 2021-01-04..2021-01-04',
  ]);
  assert.deepEqual(periodTexts('week', '2024-12-29', '2024-12-31'), [
    '2024-W52 2024-12-29..2024-12-29',
    '2025-W01 2024-12-30..2024-12-31',
  ]);
  assert.deepEqual(periodTexts('week', '2027-01-03', '2027-01-03'), ['2026-W53 2027-01-03..2027-01-03']);
});

test('the periods of two centuries contain every day once', () => {
  for (const by of ['week', 'month'] as const) {
    const periods = periodsOf({ from: '2000-01-01', to: '2199-12-31', by });
    const days = periods.reduce(
      (sum, { first, last }) => sum + (Date.parse(last) - Date.parse(first)) / 86_400_000 + 1,
      0,
    );
    assert.equal(days, (Date.parse('2200-01-01') - Date.parse('2000-01-01')) / 86_400_000);
    assert.equal(new Set(periods.map(({ name }) => name)).size, periods.length);
  }
});
