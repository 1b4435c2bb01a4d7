/**
 * The series against a naive model: whatever the bot's zone, the zone asked for, the range and the periods, each value is what
 * the definitions say of the events, the sums are the totals, and it makes no difference whether they are kept or computed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { putSnapshot } from '../../src/line/snapshots.ts';
import { type Line, readSeries, seriesFigures } from '../../src/reports/series.ts';
import { readFigures } from '../../src/reports/totals.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { bodyOf, type ReportedEvent } from './bodies.ts';
import { addBot, anchors, consistent, foldAll, reportedEvents } from './events.ts';
import { naiveFigures } from './naive-model.ts';

const platforms = ['line', 'facebook', 'instagram', 'liveChat', 'whatsapp'] as const;

/** Among them zones whose clocks change at midnight, by half an hour, or not on a full hour. */
const zones = [
  'Asia/Taipei',
  'Asia/Tokyo',
  'America/New_York',
  'Asia/Beirut',
  'America/Santiago',
  'America/Havana',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
];

/** Beside those of the folds: the changes of those zones' clocks, the ends of a year and of an ISO year. */
const instants = [
  ...anchors,
  ...[
    '2026-03-28T22:00:00Z',
    '2026-10-24T21:00:00Z',
    '2026-04-05T03:00:00Z',
    '2026-09-06T04:00:00Z',
    '2026-03-08T05:00:00Z',
    '2026-11-01T05:00:00Z',
    '2026-04-04T15:00:00Z',
    '2026-10-03T15:30:00Z',
    '2026-01-01T00:00:00Z',
    '2027-01-03T16:00:00Z',
  ].map((text) => Date.parse(text)),
];

/** Days around those instants, so that ranges end where something happens. */
const day = fc
  .tuple(fc.constantFrom(...instants), fc.integer({ min: -2, max: 2 }))
  .map(([at, days]) => new Date(at + days * 86_400_000).toISOString().slice(0, 10));

const plan = fc.record({
  botZone: fc.constantFrom(...zones),
  zone: fc.constantFrom(...zones),
  by: fc.constantFrom('day', 'week', 'month' as const),
  range: fc.tuple(day, day).map((days) => days.sort()),
  delivered: fc.array(fc.tuple(day, fc.integer({ min: 1, max: 9 })), { maxLength: 4 }),
  events: fc.array(reportedEvents(instants), { minLength: 1, maxLength: 50 }),
});

test('every series is what the definitions say, and its sums over all time are the totals', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  const now = Date.parse('2027-02-01T00:00:00Z');
  await holds(
    t,
    fc.asyncProperty(plan, async ({ botZone, zone, by, range, delivered, events }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, botZone);
      const once = consistent(events);
      await putDeliveries(
        sql,
        once.map((event) => ({
          botId,
          platform: event.platform,
          source: 'webhook',
          body: Buffer.from(bodyOf(event)),
          receivedAt: now,
        })),
      );
      await foldAll(sql, botId, { batch: 20, folds: 1 });
      const sent = new Map(delivered);
      for (const [day, apiPush] of sent) {
        const value = { status: 'ready', apiPush };
        await putSnapshot(sql, { botId, kind: 'delivery', day, value, receivedAt: now });
      }
      const [from = '', to = ''] = range;
      const asked = await readSeries(sql, botId, { zone, by, from, to }, { now });
      assert.deepEqual(valuesOf(asked.lines), naiveValues(once, sent, { zone, by, from, to }));
      assert.equal(asked.kept, zone === botZone);
      const everything = { from: '2025-01-01', to: '2027-12-31', by, zone };
      const { lines, periods } = await readSeries(sql, botId, everything, { now });
      assert.deepEqual([periods[0]?.first, periods.at(-1)?.last], ['2025-01-01', '2027-12-31']);
      const figures = await readFigures(sql, botId, now);
      for (const platform of platforms) {
        const total = figures?.platforms[platform];
        for (const figure of seriesFigures) {
          if (!total || figure === 'inbound' || figure === 'outbound') continue;
          const line = lines.find((line) => line.platform === platform && line.figure === figure);
          assert.equal(line?.sum, total[figure], `${platform} ${figure}`);
        }
      }
    }),
    { runs: 60 },
  );
});

type Asked = { zone: string; by: 'day' | 'week' | 'month'; from: string; to: string };

/** Day by day through the range; a period is whatever has the same name. */
function naiveValues(events: readonly ReportedEvent[], sent: ReadonlyMap<string, number>, asked: Asked) {
  const { zone, by, from, to } = asked;
  const days = naiveFigures(events, zone).days.filter((row) => row.zone === zone);
  const lines: Record<string, Record<string, { value: number; isKnown: boolean }>> = {};
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86_400_000) {
    const date = new Date(at);
    const day = date.toISOString().slice(0, 10);
    for (const platform of [...platforms, 'all']) {
      const rows = days.filter((row) => row.day === day && (platform === 'all' || row.platform === platform));
      const sum = (name: string) => rows.reduce((sum, row) => sum + Number(Object(row)[name]), 0);
      const pushed = platform === 'line' || platform === 'all' ? (sent.get(day) ?? 0) : 0;
      const isKnown = sent.has(day);
      for (const figure of seriesFigures) {
        const value =
          figure === 'messages'
            ? sum('inbound') + sum('outbound') + pushed
            : sum(figure) + (figure === 'outbound' ? pushed : 0);
        const line = lines[`${platform} ${figure}`] ?? {};
        lines[`${platform} ${figure}`] = line;
        const name = by === 'day' ? day : by === 'month' ? day.slice(0, 7) : mondayOf(date);
        const before = line[name] ?? { value: 0, isKnown: false };
        line[name] = { value: before.value + value, isKnown: before.isKnown || isKnown };
      }
    }
  }
  const values = Object.entries(lines).map(([name, line]) => [
    name,
    Object.values(line).map(({ value, isKnown }) =>
      isKnown || !needsLine(name, sent.size > 0) ? value : null,
    ),
  ]);
  return Object.fromEntries(values);
}

/** True when a series has no value in a period of which LINE has reported no day. */
function needsLine(name: string, isReported: boolean): boolean {
  if (name === 'line outbound') return true;
  return isReported && ['line messages', 'all outbound', 'all messages'].includes(name);
}

function mondayOf(date: Date): string {
  const monday = new Date(date);
  while (monday.getUTCDay() !== 1) monday.setUTCDate(monday.getUTCDate() - 1);
  return monday.toISOString().slice(0, 10);
}

function valuesOf(lines: readonly Line[]) {
  return Object.fromEntries(lines.map(({ platform, figure, values }) => [`${platform} ${figure}`, values]));
}
