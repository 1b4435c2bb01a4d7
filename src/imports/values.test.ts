import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAmount, readInstant, readPlatform } from './values.ts';

test('platform names are those of the API', () => {
  assert.equal(readPlatform('liveChat'), 'liveChat');
  assert.throws(() => readPlatform('Line'), { code: 'INPUT_INVALID', message: /line, facebook, instagram/ });
});

test('amounts are whole numbers', () => {
  assert.deepEqual(['12', '-3', '0'].map(readAmount), [12, -3, 0]);
  for (const text of ['', '1.0', '1e3', ' 5', '５', '0x10', '1'.repeat(16)]) {
    assert.throws(() => readAmount(text), { code: 'INPUT_INVALID' });
  }
});

test('a time must name its zone', () => {
  const instantOf = (text: string) => new Date(readInstant(text, 'Asia/Taipei')).toISOString();
  assert.equal(instantOf('2026-12-31T23:59:59+08:00'), '2026-12-31T15:59:59.000Z');
  assert.equal(instantOf('2026-12-31T23:59:59.5Z'), '2026-12-31T23:59:59.500Z');
  assert.equal(instantOf('2026-12-31T23:59Z'), '2026-12-31T23:59:00.000Z');
  for (const text of [
    '',
    '2026-12-31T23:59:59',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '31.12.2026',
    '2026-1-1',
  ]) {
    assert.throws(() => readInstant(text, 'Asia/Taipei'), { code: 'INPUT_INVALID' });
  }
});

test('a plain date is the start of that day in the zone', () => {
  const starts: [string, string, string][] = [
    ['2026-03-01', 'Asia/Taipei', '2026-02-28T16:00:00.000Z'],
    ['2026-03-01', 'Asia/Kathmandu', '2026-02-28T18:15:00.000Z'],
    ['2026-03-01', 'America/New_York', '2026-03-01T05:00:00.000Z'],
    ['2026-07-01', 'America/New_York', '2026-07-01T04:00:00.000Z'],
    ['2026-01-01', 'Pacific/Kiritimati', '2025-12-31T10:00:00.000Z'],
    ['2026-01-01', 'Etc/GMT+12', '2026-01-01T12:00:00.000Z'],
    // Clocks move forward at midnight, so the day begins at 01:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    // The zone skipped this day.
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
  ];
  for (const [day, zone, expected] of starts) {
    assert.equal(new Date(readInstant(day, zone)).toISOString(), expected, `${day} in ${zone}`);
  }
});
