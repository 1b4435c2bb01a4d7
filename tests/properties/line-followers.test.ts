/**
 * LINE's followers and blocks, with and without LINE's snapshots, against a naive model of each person's events. The current
 * figures, the daily figures, the series, the reconciliation and the statistics agree with it.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sql } from '../../src/database/client.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { readFollowerDays } from '../../src/line/daily-figures.ts';
import { putFriends } from '../../src/line/people/friends.ts';
import { reconcile } from '../../src/line/reconciliation.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { readFollowersByDay } from '../../src/reports/followers-by-day.ts';
import { readSeries } from '../../src/reports/series.ts';
import { readFigures } from '../../src/reports/totals.ts';
import { addDays, dayMs, lineDayStart, lineZone } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { foldPending } from '../harness/fold.ts';
import { putSnapshot } from '../harness/line-figures.ts';
import { holds } from '../harness/property.ts';
import { bodyOf, lineUser, type ReportedEvent } from './bodies.ts';
import { addBot } from './events.ts';

type LineEvent = Extract<ReportedEvent, { platform: 'line' }>;
type Snapshot = { day: string; isReady: boolean; followers: number; blocks: number };
type Counts = { followers: number; blocks: number };

const firstDay = '2026-01-01';
const lastDay = addDays(firstDay, 9);
const days = Array.from({ length: 10 }, (_, day) => addDays(firstDay, day));
/** Within the last day, after every event. */
const now = lineDayStart(addDays(lastDay, 1)) - 1;

/** ms around the edges of the first days, in UTC+9. */
const instant = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom(-3_600_001, -1, 0, 1, 43_200_000))
  .map(([day, offset]) => lineDayStart(addDays(firstDay, day)) + offset);
const events = fc
  .array(
    fc.record({
      kind: fc.constantFrom('follow', 'follow', 'unfollow', 'message' as const),
      isUnblocked: fc.boolean(),
      person: fc.integer({ min: 0, max: 4 }),
      at: instant,
    }),
    { maxLength: 20 },
  )
  .map((list) => list.map((event, id): LineEvent => ({ ...event, platform: 'line', id, key: `k${id}` })));
const snapshots = fc.uniqueArray(
  fc.record({
    day: fc.integer({ min: 0, max: 8 }).map((day) => addDays(firstDay, day)),
    isReady: fc.boolean(),
    followers: fc.integer({ min: 0, max: 100 }),
    blocks: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 4, selector: ({ day }) => day },
);
const plan = fc.record({
  botZone: fc.constantFrom(lineZone, 'Asia/Taipei', 'America/New_York'),
  events,
  snapshots,
  listed: fc.subarray([0, 1, 2, 3, 4, 5, 6]),
  isListedFirst: fc.boolean(),
  ranks: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
});

test('every report counts followers and blocks from LINE’s latest snapshot and the first-time follows after it', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ botZone, events, snapshots, listed, isListedFirst, ranks }) => {
      const botId = `bot${bots++}`;
      await addBot(sql, botId, botZone);
      if (isListedFirst) await list(sql, botId, listed);
      await deliver(sql, botId, { events, snapshots, ranks });
      if (!isListedFirst) await list(sql, botId, listed);
      assert.deepEqual(await recount(sql, botId, { check: true, progress: () => undefined }), []);
      const expected = days.map((day) => naiveCounts(events, snapshots, day));

      const { followers, blocks } = (await readFigures(sql, botId, now))?.platforms.line ?? {};
      assert.deepEqual({ followers, blocks }, expected.at(-1), 'now');

      const insight = await readFollowerDays(
        sql,
        days.map((day) => ({ botId, day })),
      );
      const ofInsight = insight.map(({ snapshot, own }) => countsOf(snapshot ?? own));
      assert.deepEqual(ofInsight, expected, 'by day, as LINE Insight serves it');

      const hasSnapshot = snapshots.some(({ isReady }) => isReady);
      if (hasSnapshot || botZone === lineZone) {
        const audience = await readFollowersByDay(sql, { botId, from: firstDay, to: lastDay, now });
        assert.deepEqual(audience.line.map(countsOf), expected.slice(0, audience.line.length), 'statistics');
      }

      const expectedCounts = ownCounts(events, snapshots);
      const reconciled = await reconcile(sql, botId, { from: firstDay, to: lastDay, now });
      assert.deepEqual(
        reconciled.map((day) => ({ followers: day.followers.own, blocks: day.blocks.own })),
        expectedCounts,
        'reconciliation',
      );
      assert.deepEqual(
        reconciled.map(({ friendsBefore }) => friendsBefore),
        days.map((day) =>
          listed.length === 0 ? null : naiveFriendsBefore({ events, snapshots, listed }, day),
        ),
        'friends from before',
      );
      assert.deepEqual(runningTotals(await seriesOf(sql, botId, lineZone)), expectedCounts, 'series');
    }),
    { runs: 40 },
  );
});

test('a series of followers and blocks is the same from stored days and from computed days', async (t) => {
  const { sql } = await testDatabase(t);
  let bots = 0;
  await holds(
    t,
    fc.asyncProperty(plan, async ({ events, snapshots, ranks }) => {
      const zone = 'America/New_York';
      const [stored, computed] = [`bot${bots++}`, `bot${bots++}`];
      for (const [botId, botZone] of [
        [stored, zone],
        [computed, 'Asia/Taipei'],
      ] as const) {
        await addBot(sql, botId, botZone);
        await deliver(sql, botId, { events, snapshots, ranks });
      }
      assert.deepEqual(await seriesOf(sql, computed, zone), await seriesOf(sql, stored, zone));
    }),
    { runs: 20 },
  );
});

test('after a snapshot, only a first-time follow increases the followers', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot', 'Asia/Taipei');
  const snapshot = { day: firstDay, isReady: true, followers: 100, blocks: 2 };
  const at = (hour: number) => lineDayStart(addDays(firstDay, 1)) + hour * 3_600_000;
  const event = (id: number, kind: LineEvent['kind'], isUnblocked = false): LineEvent => ({
    ...{ platform: 'line', id, person: id, kind, at: at(id), isUnblocked },
  });
  const reports = [event(1, 'follow'), event(2, 'unfollow'), event(3, 'follow', true)];
  const expected = [
    { followers: 101, blocks: 2 },
    { followers: 101, blocks: 3 },
    { followers: 101, blocks: 2 },
  ];
  await deliver(sql, 'bot', { events: [], snapshots: [snapshot], ranks: [] });
  for (const [index, event] of reports.entries()) {
    await deliver(sql, 'bot', { events: [event], snapshots: [], ranks: [] });
    const line = (await readFigures(sql, 'bot', now))?.platforms.line;
    assert.deepEqual(line && countsOf(line), expected[index]);
  }
  const [next] = await readFollowerDays(sql, [{ botId: 'bot', day: addDays(firstDay, 1) }]);
  assert.deepEqual(next?.own, { followers: 101, blocks: 2 });
});

test('replaying a delivery corrects a follow that was stored without its unblock flag', async (t) => {
  const { sql } = await testDatabase(t);
  await addBot(sql, 'bot', 'Asia/Taipei');
  const at = lineDayStart(addDays(firstDay, 1));
  const event: LineEvent = { platform: 'line', id: 1, person: 1, kind: 'follow', at, isUnblocked: true };
  const snapshot = { day: firstDay, isReady: true, followers: 100, blocks: 2 };
  await deliver(sql, 'bot', { events: [event], snapshots: [snapshot], ranks: [] });
  await sql`update events set detail = null`;
  await recount(sql, 'bot', { check: false, progress: () => undefined });
  const counts = async () => countsOf((await readFigures(sql, 'bot', now))?.platforms.line ?? {});
  assert.deepEqual(await counts(), { followers: 101, blocks: 2 });
  await deliver(sql, 'bot', { events: [event], snapshots: [], ranks: [] });
  assert.deepEqual(await counts(), { followers: 100, blocks: 1 });
  assert.deepEqual(await recount(sql, 'bot', { check: true, progress: () => undefined }), []);
});

/** Stores and folds the events and snapshots in the order of the random `ranks`. */
async function deliver(
  sql: Sql,
  botId: string,
  { events, snapshots, ranks }: { events: LineEvent[]; snapshots: Snapshot[]; ranks: Iterable<number> },
): Promise<void> {
  const chance = ranks[Symbol.iterator]();
  const next = (): number => chance.next().value ?? 0;
  const steps = [...events, ...snapshots]
    .map((step) => ({ step, rank: next() }))
    .sort((a, b) => a.rank - b.rank);
  for (const { step } of steps) {
    if ('day' in step) {
      const { day, isReady, followers, blocks } = step;
      const value = isReady ? { status: 'ready', followers, blocks } : { status: 'unready' };
      await putSnapshot(sql, { botId, kind: 'followers', day, value, receivedAt: now });
    } else {
      const body = Buffer.from(bodyOf(step));
      await putDeliveries(sql, [{ botId, platform: 'line', source: 'webhook', body, receivedAt: now }]);
    }
    if (next() < 0.5) await fold(sql, botId);
  }
  await fold(sql, botId);
}

async function fold(sql: Sql, botId: string): Promise<void> {
  const outcome = await foldPending(sql, botId, { now, random: randomBytes });
  assert.deepEqual(outcome.setAside, []);
}

/** Followers and blocks at the end of a day, by the definitions. */
function naiveCounts(events: readonly LineEvent[], snapshots: readonly Snapshot[], day: string): Counts {
  const end = lineDayStart(addDays(day, 1));
  const people = peopleOf(events);
  const base = snapshots
    .filter((snapshot) => snapshot.isReady && snapshot.day <= day)
    .sort((a, b) => (a.day < b.day ? 1 : -1))[0];
  if (!base) {
    return {
      followers: people.filter(({ first }) => first.at < end).length,
      blocks: people.filter(({ isBlocked }) => isBlocked(end, false)).length,
    };
  }
  const from = lineDayStart(addDays(base.day, 1));
  const added = people.filter(({ first, isNew }) => first.at >= from && first.at < end && isNew);
  const moved = people.map(
    ({ isBlocked, wasBlocked }) => Number(isBlocked(end, wasBlocked)) - Number(isBlocked(from, wasBlocked)),
  );
  const blocks = moved.reduce((sum, change) => sum + change, base.blocks);
  return { followers: base.followers + added.length, blocks: Math.max(0, blocks) };
}

/** LINE's list of friends. */
async function list(sql: Sql, botId: string, people: readonly number[]): Promise<void> {
  const userIds = people.map(lineUser);
  const at = new Date(now);
  await sql.begin((tx) => putFriends(tx, botId, userIds, { now, random: randomBytes }));
  await sql`
    insert into line_friend_lists (bot_id, state, listed, started_at, updated_at)
    values (${botId}, 'done', ${people.length}, ${at}, ${at})`;
}

/** The listed friends whom Shoal's own count at the end of the day does not contain. */
function naiveFriendsBefore(
  { events, snapshots, listed }: { events: LineEvent[]; snapshots: Snapshot[]; listed: number[] },
  day: string,
): number {
  const [reported = '9999-12-31'] = snapshots
    .filter(({ isReady }) => isReady)
    .map((snapshot) => snapshot.day)
    .sort();
  const counted = peopleOf(events).filter(({ first, isNew }) => {
    const isIncluded = isNew || first.at < lineDayStart(addDays(reported, 1));
    return listed.includes(first.person ?? -1) && first.at < lineDayStart(addDays(day, 1)) && isIncluded;
  });
  return listed.length - counted.length;
}

/** Shoal's count at the end of each day. After the first ready snapshot, it counts changes as LINE does. */
function ownCounts(events: readonly LineEvent[], snapshots: readonly Snapshot[]): Counts[] {
  const [first] = snapshots
    .filter(({ isReady }) => isReady)
    .map(({ day }) => day)
    .sort();
  let counts: Counts = { followers: 0, blocks: 0 };
  return days.map((day) => {
    const base = { isReady: true, day: addDays(day, -1), followers: 100, blocks: 100 };
    const byLine = naiveCounts(events, [base], day);
    const [before, after] = [addDays(day, -1), day].map((end) => naiveCounts(events, [], end)) as [
      Counts,
      Counts,
    ];
    const isByLine = first !== undefined && day > first;
    counts = {
      followers: counts.followers + (isByLine ? byLine.followers - 100 : after.followers - before.followers),
      blocks: counts.blocks + (isByLine ? byLine.blocks - 100 : after.blocks - before.blocks),
    };
    return counts;
  });
}

/** The people with a follow or unfollow. `isBlocked` is the state before `end`; `before` is the state before all events. */
function peopleOf(events: readonly LineEvent[]) {
  const states = events.filter(({ kind }) => kind === 'follow' || kind === 'unfollow');
  return [...Map.groupBy(states, ({ person }) => person).values()].map((same) => {
    const rank = ({ kind, isUnblocked }: LineEvent) => (kind === 'unfollow' ? 1 : isUnblocked ? 2 : 0);
    const [first] = same.toSorted((a, b) => a.at - b.at || rank(a) - rank(b));
    if (!first) throw new Error('the person has no event');
    const ordered = same.toSorted((a, b) => a.at - b.at || ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
    const isBlocked = (end: number, before: boolean): boolean => {
      const last = ordered.findLast(({ at }) => at < end);
      return last ? last.kind === 'unfollow' : before;
    };
    return { first, isNew: rank(first) === 0, wasBlocked: rank(first) === 2, isBlocked };
  });
}

async function seriesOf(sql: Sql, botId: string, zone: string): Promise<Counts[]> {
  const query = { by: 'day', zone, from: firstDay, to: lastDay, figures: ['followers', 'blocks'] } as const;
  const { series: lines } = await readSeries(
    sql,
    botId,
    { ...query, platforms: ['line'] },
    { now: now + dayMs },
  );
  const valuesOf = (name: string) => lines.find(({ figure }) => figure === name)?.values ?? [];
  const blocks = valuesOf('blocks');
  return valuesOf('followers').map((followers, index) => ({
    ...{ followers: followers ?? 0, blocks: blocks[index] ?? 0 },
  }));
}

function runningTotals(changes: readonly Counts[]): Counts[] {
  let sum: Counts = { followers: 0, blocks: 0 };
  return changes.map(({ followers, blocks }) => {
    sum = { followers: sum.followers + followers, blocks: sum.blocks + blocks };
    return sum;
  });
}

function countsOf(counts: object): Counts {
  const { followers, blocks } = counts as Counts;
  return { followers, blocks };
}
