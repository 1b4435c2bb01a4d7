/**
 * The series against a naive model. For any bot's zone, requested zone, range and period, each value follows the definitions and
 * the sums equal the totals. Stored days and counting from events give the same values.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { type Line, readSeries, seriesFigures } from '../../src/reports/series.ts';
import { readFigures } from '../../src/reports/totals.ts';
import { testDatabase } from '../harness/database.ts';
import { putSnapshot } from '../harness/line-figures.ts';
import { holds } from '../harness/property.ts';
import { bodyOf, type ReportedEvent } from './bodies.ts';
import { addBot, anchors, consistent, foldAll, reportedEvents } from './events.ts';
import { naiveFigures } from './naive-model.ts';

const platforms = ['line', 'facebook', 'instagram', 'liveChat', 'whatsapp'] as const;

/** Some of these zones change their clocks at midnight, by half an hour, or not on a full hour. */
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

/** In addition to the anchors: the clock changes of those zones, the end of a year and of an ISO year. */
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

/** Days around those instants, so that ranges end near events. */
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

test('every series follows the definitions, and its sums over all time equal the totals', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  const now = Date.parse('2027-02-01T00:00:00Z');
  await holds(
    t,
    fc.asyncProperty(plan, async ({ botZone, zone, by, range, delivered, events }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, botZone);
      const distinctEvents = consistent(events);
      await putDeliveries(
        sql,
        distinctEvents.map((event) => ({
          botId,
          platform: event.platform,
          source: 'webhook',
          body: Buffer.from(bodyOf(event)),
          receivedAt: now,
        })),
      );
      await foldAll(sql, botId, { batch: 20, folds: 1 });
      const pushesByDay = new Map(delivered);
      for (const [day, apiPush] of pushesByDay) {
        const value = { status: 'ready', apiPush };
        await putSnapshot(sql, { botId, kind: 'delivery', day, value, receivedAt: now });
      }
      const [from = '', to = ''] = range;
      const series = await readSeries(sql, botId, { zone, by, from, to }, { now });
      assert.deepEqual(
        valuesOf(series.series),
        naiveValues(distinctEvents, pushesByDay, { zone, by, from, to }),
      );
      assert.equal(series.kept, zone === botZone);
      const everything = { from: '2025-01-01', to: '2027-12-31', by, zone };
      const { series: lines, periods } = await readSeries(sql, botId, everything, { now });
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

type Request = { zone: string; by: 'day' | 'week' | 'month'; from: string; to: string };

/** Day by day through the range; days with the same period name form a period. */
function naiveValues(
  events: readonly ReportedEvent[],
  pushesByDay: ReadonlyMap<string, number>,
  { zone, by, from, to }: Request,
) {
  const days = naiveFigures(events, zone).days.filter((row) => row.zone === zone);
  const lines: Record<string, Record<string, { value: number; isKnown: boolean }>> = {};
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86_400_000) {
    const date = new Date(at);
    const day = date.toISOString().slice(0, 10);
    for (const platform of [...platforms, 'all']) {
      const rows = days.filter((row) => row.day === day && (platform === 'all' || row.platform === platform));
      const sum = (name: string) => rows.reduce((sum, row) => sum + Number(Object(row)[name]), 0);
      const pushes = platform === 'line' || platform === 'all' ? (pushesByDay.get(day) ?? 0) : 0;
      const isKnown = pushesByDay.has(day);
      for (const figure of seriesFigures) {
        const value =
          figure === 'messages'
            ? sum('inbound') + sum('outbound') + pushes
            : sum(figure) + (figure === 'outbound' ? pushes : 0);
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
      isKnown || !needsLine(name, pushesByDay.size > 0) ? value : null,
    ),
  ]);
  return Object.fromEntries(values);
}

/** True if a series has no value in a period without a day that LINE has reported. */
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
