/**
 * The overview, the hours of the week and the distribution of conversations against a naive model. For any zone and range, each
 * value follows the definitions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findBot } from '../../src/bots/bots.ts';
import { type Comparison, comparedPeriod } from '../../src/comparison.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { readConversationDistribution } from '../../src/reports/conversation-distribution.ts';
import { readWeekHours } from '../../src/reports/hours.ts';
import { readOverview } from '../../src/reports/overview.ts';
import { readSeries } from '../../src/reports/series.ts';
import { dayStart } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { bodyOf, type ReportedEvent } from './bodies.ts';
import { addBot, anchors, consistent, foldAll, reportedEvents } from './events.ts';
import { type Mark, naiveConversations, naiveFigures, naiveMarks } from './naive-model.ts';

const connected = ['line', 'facebook', 'instagram', 'liveChat', 'whatsapp'];
const now = Date.parse('2027-02-01T00:00:00Z');
const dayMs = 86_400_000;
const zones = ['Asia/Taipei', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Havana'];

const day = fc
  .tuple(fc.constantFrom(...anchors), fc.integer({ min: -2, max: 2 }))
  .map(([at, days]) => plus(new Date(at).toISOString().slice(0, 10), days));

const plan = fc.record({
  zone: fc.constantFrom(...zones),
  range: fc.tuple(day, day).map((days) => days.sort()),
  events: fc.array(reportedEvents(anchors), { minLength: 1, maxLength: 60 }),
  by: fc.constantFrom('day' as const, 'week' as const, 'month' as const),
  comparison: fc.constantFrom<Comparison>('previous-period', 'same-period-last-year'),
  // Where in the range it is now.
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});

test('overview, hours and distribution follow the definitions, in any zone and range', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ zone, range: [from = '', to = ''], events, by, comparison, share }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, zone);
      const distinctEvents = consistent(events);
      await putDeliveries(
        sql,
        distinctEvents.map((event) => ({
          ...{ botId, platform: event.platform, source: 'webhook', receivedAt: now },
          body: Buffer.from(bodyOf(event)),
        })),
      );
      await foldAll(sql, botId, { batch: 20, folds: 1 });
      const overview = await readOverview(sql, botId, { from, to, now });
      assert.deepEqual(overview, naiveOverview(distinctEvents, { zone, from, to }));
      const [first, end] = [dayStart(from, zone), dayStart(plus(to, 1), zone)];
      const running = { from, to, by, comparison, now: Math.floor(first + (end - first - 1) * share) };
      const runningOverview = await readOverview(sql, botId, running);
      const naive = naiveSumsBefore(distinctEvents, { ...running, zone });
      for (const { platform, figure, sum, values } of naive) {
        const isSame = (one: { platform: string; figure: string }) =>
          one.platform === platform && one.figure === figure;
        const name = `${platform} ${figure}`;
        assert.equal(runningOverview.figures.find(isSame)?.before, sum, name);
        assert.deepEqual(runningOverview.series.find(isSame)?.valuesBefore, values, name);
      }
      const series = await readSeries(sql, botId, { ...running, zone }, running);
      const { sumBefore } = series.series.find(({ figure }) => figure === 'blocks') ?? {};
      assert.equal(sumBefore, naive.find(({ figure }) => figure === 'newBlocks')?.sum);
      assert.deepEqual(series.before, runningOverview.before);
      const bot = await findBot(sql, botId);
      const platforms = ['line', 'facebook', 'liveChat'] as const;
      const hours = await readWeekHours(sql, bot, { from, to, platforms });
      assert.deepEqual([...hours], naiveHours(distinctEvents, { zone, from, to }, platforms));
      const all = connected.map((name) => name as (typeof platforms)[number]);
      const instants = { from: firstInstant(from, zone), until: firstInstant(plus(to, 1), zone) };
      const distribution = await readConversationDistribution(sql, botId, { ...instants, platforms: all });
      assert.deepEqual(distribution, naiveDistributions(distinctEvents, { zone, from, to }));
    }),
    { runs: 40 },
  );
});

type Range = { zone: string; from: string; to: string };

function naiveOverview(events: readonly ReportedEvent[], { zone, from, to }: Range) {
  const days = naiveFigures(events, zone).days.filter((row) => row.zone === zone);
  const count = Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1;
  const compared = comparedPeriod({ from, to, by: 'day' }, 'previous-period', { now, zone });
  assert.ok(compared);
  const before = { from: compared.from, to: compared.to, until: null };
  const range = Array.from({ length: count }, (_, index) => plus(from, index));
  const sum = (platform: string, name: string, first: string, last: string): number =>
    days
      .filter(
        (row) => row.day >= first && row.day <= last && (platform === 'all' || row.platform === platform),
      )
      .reduce((sum, row) => {
        const { [name]: value = 0 } = { ...row, messages: row.inbound + row.outbound } as Record<
          string,
          unknown
        >;
        return sum + Number(value);
      }, 0);
  const figureSums = {
    newFollowers: 'followers',
    newBlocks: 'blocks',
    inbound: 'inbound',
    outbound: 'outbound',
    messages: 'messages',
    conversations: 'conversations',
  };
  const platformsAndAll = [...connected, 'all'];
  const figures = platformsAndAll.flatMap((platform) => {
    const runningTotal = (name: string) => ({
      now: sum(platform, name, '', to),
      before: sum(platform, name, '', before.to),
    });
    const average = (name: string, unit: number) => {
      const of = ({ from, to }: { from: string; to: string }) => {
        const conversations = sum(platform, 'conversations', from, to);
        return conversations === 0
          ? null
          : Math.floor(sum(platform, name, from, to) / (conversations * unit) + 0.5);
      };
      return { now: of({ from, to }), before: of(before) };
    };
    const values: Record<string, { now: number | null; before: number | null }> = {
      followers: runningTotal('followers'),
      blocks: runningTotal('blocks'),
      ...Object.fromEntries(
        Object.entries(figureSums).map(([figure, name]) => [
          figure,
          isUnknown(platform, figure)
            ? { now: null, before: null }
            : { now: sum(platform, name, from, to), before: sum(platform, name, before.from, before.to) },
        ]),
      ),
      averageConversationMessages: average('conversationMessages', 1),
      averageConversationSeconds: average('conversationMs', 1_000),
      tagCoverRate: { now: 0, before: null },
      ...(platform === 'all' ? { pointsOutstanding: { now: 0, before: 0 } } : {}),
    };
    const order = ['followers', 'newFollowers', 'blocks', 'newBlocks'];
    const names = [...order, ...Object.keys(values).filter((name) => !order.includes(name))];
    return names.map((figure) => comparison(platform, figure, values[figure] ?? { now: null, before: null }));
  });
  const series = platformsAndAll.flatMap((platform) => [
    ...['followers', 'blocks'].map((figure) => ({
      ...{ platform, figure },
      values: range.map((day) => sum(platform, figure, '', day)),
      valuesBefore: compared.periods.map((period) => period && sum(platform, figure, '', period.last)),
    })),
    ...['inbound', 'outbound', 'messages', 'conversations', 'newFollowers', 'newBlocks'].map((figure) => {
      const name = figure.startsWith('new') ? figure.slice(3).toLowerCase() : figure;
      const on = (day: string): number | null =>
        isUnknown(platform, figure) ? null : sum(platform, name, day, day);
      return {
        ...{ platform, figure, values: range.map(on) },
        valuesBefore: compared.periods.map((period) => period && on(period.first)),
      };
    }),
  ]);
  series.push({
    ...{ platform: 'all', figure: 'pointsOutstanding', values: range.map(() => 0) },
    valuesBefore: compared.periods.map((period) => period && 0),
  });
  const periods = range.map((day) => ({ name: day, first: day, last: day }));
  return {
    zone,
    from,
    to,
    by: 'day',
    comparison: 'previous-period',
    before,
    figures,
    days: range,
    periods,
    series,
  };
}

type Running = Range & { by: 'day' | 'week' | 'month'; comparison: Comparison; now: number };

/** The sums of the compared period up to the same hour, from the instants of the events. */
function naiveSumsBefore(events: readonly ReportedEvent[], { zone, from, to, by, comparison, now }: Running) {
  const compared = comparedPeriod({ from, to, by }, comparison, { now, zone });
  assert.ok(compared);
  const end =
    compared.untilHour === null
      ? dayStart(plus(compared.to, 1), zone)
      : hourInstant(compared.to, compared.untilHour, zone);
  const marks = naiveMarks(events).filter(({ at }) => at < end);
  const within = (first: string, last: string) => {
    const [start, until] = [dayStart(first, zone), dayStart(plus(last, 1), zone)];
    return marks.filter(({ at }) => at >= start && at < until);
  };
  const all = within(compared.from, compared.to);
  const periods = compared.periods.map((period) => period && within(period.first, period.last));
  const sumOf = (marks: readonly Mark[], platform: string, figure: string): number =>
    marks
      .filter((mark) => platform === 'all' || mark.platform === platform)
      .reduce((sum, { change }) => {
        const { followers = 0, blocks = 0, inbound = 0, outbound = 0, conversations = 0 } = change;
        const values: Record<string, number> = {
          ...{ newFollowers: followers, newBlocks: blocks, inbound, outbound, conversations },
          messages: inbound + outbound,
        };
        return sum + (values[figure] ?? 0);
      }, 0);
  const order = ['newFollowers', 'newBlocks', 'inbound', 'outbound', 'messages', 'conversations'];
  return [...connected, 'all'].flatMap((platform) =>
    order.map((figure) => {
      const isKnown = !isUnknown(platform, figure);
      const sum = isKnown ? sumOf(all, platform, figure) : null;
      const values = periods.map((marks) => (isKnown && marks ? sumOf(marks, platform, figure) : null));
      return { platform, figure, sum, values };
    }),
  );
}

/** LINE has reported no sent messages. */
function isUnknown(platform: string, figure: string): boolean {
  return platform === 'line' && figure === 'outbound';
}

function comparison(
  platform: string,
  figure: string,
  { now, before }: Record<'now' | 'before', number | null>,
) {
  const isKnown = now !== null && before !== null;
  const change = isKnown ? now - before : null;
  const changeRate =
    isKnown && before !== 0 ? Math.round(((now - before) / Math.abs(before)) * 10_000) / 10_000 : null;
  return { figure, platform, now, before, change, changeRate };
}

function naiveHours(
  events: readonly ReportedEvent[],
  { zone, from, to }: Range,
  platforms: readonly string[],
) {
  const rows = naiveFigures(events, zone).hours.filter(
    ({ day, platform }) => day >= from && day <= to && platforms.includes(platform),
  );
  return [1, 2, 3, 4, 5, 6, 7].flatMap((weekday) =>
    Array.from({ length: 24 }, (_, hour) => hour).flatMap((hour) => {
      const sum = (platform: string, name: 'inbound' | 'outbound') =>
        rows
          .filter((row) => row.hour === hour && (new Date(row.day).getUTCDay() || 7) === weekday)
          .filter((row) => platform === 'all' || row.platform === platform)
          .reduce((sum, row) => sum + row[name], 0);
      return [...platforms, 'all'].map((platform) => ({
        ...{ platform, weekday, hour, inbound: sum(platform, 'inbound') },
        outbound: platform === 'line' ? null : sum(platform, 'outbound'),
      }));
    }),
  );
}

function naiveDistributions(events: readonly ReportedEvent[], { zone, from, to }: Range) {
  const within = naiveConversations(events).filter(({ at }) => {
    const day = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(at);
    return day >= from && day <= to;
  });
  return [...connected, 'all'].map((platform) => {
    const conversations = within.filter((one) => platform === 'all' || one.platform === platform);
    const messages = conversations.map((one) => one.messages);
    const seconds = conversations.map(({ ms }) => Math.floor(ms / 1_000 + 0.5));
    return {
      platform,
      conversations: conversations.length,
      messages: distributionOf(messages, mean(messages, 1), [1, 2, 3, 4, 5, 6, 11, 21, 51]),
      seconds: distributionOf(
        seconds,
        mean(
          conversations.map(({ ms }) => ms),
          1_000,
        ),
        [0, 1, 60, 300, 900, 1_800, 3_600, 7_200, 14_400],
      ),
    };
  });
}

function mean(values: readonly number[], unit: number): number | null {
  if (values.length === 0) return null;
  return Math.floor(values.reduce((sum, value) => sum + value, 0) / (values.length * unit) + 0.5);
}

function distributionOf(values: readonly number[], mean: number | null, starts: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const steps = starts.map((from, index) => {
    const to = index + 1 < starts.length ? (starts[index + 1] ?? 0) - 1 : null;
    const conversations = values.filter((value) => value >= from && (to === null || value <= to)).length;
    return { from, to, conversations };
  });
  return { mean, median: sorted[Math.ceil(sorted.length / 2) - 1] ?? null, steps };
}

/** The first quarter of an hour on that day. */
function firstInstant(day: string, zone: string): number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  let at = Date.parse(`${day}T00:00:00Z`) - 15 * 3_600_000;
  while (format.format(at) < day) at += 900_000;
  return at;
}

/** The first quarter of an hour on that day at which a clock shows the hour or a later one. */
function hourInstant(day: string, hour: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', hourCycle: 'h23' });
  const end = dayStart(plus(day, 1), zone);
  let at = dayStart(day, zone);
  while (at < end && Number(format.format(at)) < hour) at += 900_000;
  return at;
}

function plus(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}
