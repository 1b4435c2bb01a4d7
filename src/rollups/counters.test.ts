import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptZones, Tally } from './counters.ts';

const midnight = Date.parse('2026-03-02T00:00:00+09:00');

test('LINE figures have a day in the zone of the bot and one in UTC+9, other platforms only the first', () => {
  const tally = new Tally('Asia/Taipei');
  tally.add('line', midnight, { inbound: 1 });
  tally.add('whatsapp', midnight, { inbound: 1 });
  assert.deepEqual(
    tally.rows().days.map(({ platform, zone, day }) => [platform, zone, day]),
    [
      ['line', 'Asia/Taipei', '2026-03-01'],
      ['line', 'Asia/Tokyo', '2026-03-02'],
      ['whatsapp', 'Asia/Taipei', '2026-03-01'],
    ],
  );
});

test('a bot in the zone of LINE has one day for each figure', () => {
  assert.deepEqual(keptZones('line', 'Asia/Tokyo'), ['Asia/Tokyo']);
});

test('messages are counted by the hour of the bot, other figures are not', () => {
  const tally = new Tally('Asia/Kathmandu');
  tally.add('facebook', Date.parse('2026-03-01T00:20:00Z'), { inbound: 2, followers: 1 });
  assert.deepEqual(tally.rows().hours, [
    { platform: 'facebook', day: '2026-03-01', hour: 6, inbound: 2, outbound: 0 },
  ]);
});

test('a change that is added and subtracted leaves no row to write', () => {
  const tally = new Tally('Asia/Taipei');
  tally.add('line', midnight, { inbound: 1, followers: 1 });
  tally.add('line', midnight, { inbound: 1, followers: 1 }, -1);
  assert.deepEqual(tally.rows(), { totals: [], days: [], hours: [] });
});

test('a figure of a date counts on that date in every stored zone', () => {
  const tally = new Tally('Asia/Taipei');
  tally.addOnDay('line', '2026-03-01', { outbound: 7 });
  const { totals, days } = tally.rows();
  assert.equal(totals[0]?.sums.outbound, 7);
  assert.deepEqual(
    days.map(({ zone, day, sums }) => [zone, day, sums.outbound]),
    [
      ['Asia/Taipei', '2026-03-01', 7],
      ['Asia/Tokyo', '2026-03-01', 7],
    ],
  );
});
