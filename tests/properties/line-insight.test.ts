/**
 * The LINE Insight figures against naive models without stored rows: followers carried forward across day boundaries, and
 * interactions counted or withheld by the 20-person rule.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toMessageEvent } from '../../src/api/line-insight/answers.ts';
import { openKeys } from '../../src/auth/keys.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { readFollowerDays } from '../../src/line/daily-figures.ts';
import {
  addInteractions,
  type Interaction,
  type InteractionKind,
  mediaKinds,
} from '../../src/line/interactions.ts';
import { importSnapshots } from '../../src/line/snapshots.ts';
import { readMessageStatistics } from '../../src/line/statistics.ts';
import { Tally } from '../../src/rollups/counters.ts';
import { addDays, dayMs, lineDayStart } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { recordSend } from '../harness/line-figures.ts';
import { holds } from '../harness/property.ts';
import { seededBytes } from '../harness/random.ts';

const runs = 25;
const firstDay = '2026-01-01';
const now = Date.parse('2026-03-01T00:00:00Z');
const random = seededBytes(1);

/** Adds a bot with a LINE channel. */
async function addBot(sql: Sql): Promise<string> {
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const context = { now: lineDayStart(firstDay), random, keys };
  const { botId } = await createBot(sql, { name: 'Bot', timeZone: 'Asia/Taipei' }, context);
  await setChannel(sql, { botId, platform: 'line', secret: 's' }, context);
  return botId;
}

/** ms around the edges of the first days, in UTC+9. */
const instant = fc
  .tuple(fc.integer({ min: 0, max: 8 }), fc.constantFrom(-1, 0, 1, 43_200_000))
  .map(([day, offset]) => lineDayStart(addDays(firstDay, day)) + offset);
const history = fc.record({
  changes: fc.array(
    fc.record({
      at: instant,
      followers: fc.integer({ min: 0, max: 3 }),
      blocks: fc.integer({ min: -2, max: 2 }),
    }),
    { maxLength: 20 },
  ),
  snapshots: fc.uniqueArray(
    fc.record({
      day: fc.integer({ min: 0, max: 8 }).map((day) => addDays(firstDay, day)),
      isReady: fc.boolean(),
      followers: fc.integer({ min: 0, max: 100 }),
      blocks: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 5, selector: ({ day }) => day },
  ),
});
type History = typeof history extends fc.Arbitrary<infer Value> ? Value : never;

/** Adds a bot with the history; returns its id. */
async function addHistory(sql: Sql, { changes, snapshots }: History): Promise<string> {
  const botId = await addBot(sql);
  const tally = new Tally('Asia/Taipei');
  for (const { at, followers, blocks } of changes) tally.add('line', at, { followers, blocks });
  await tally.write(sql, botId);
  const entries = snapshots.map(({ day, isReady, followers, blocks }) => ({
    kind: 'followers',
    day,
    value: isReady ? { status: 'ready', followers, blocks } : { status: 'unready' },
  }));
  await importSnapshots(sql, { botId, entries }, { now });
  return botId;
}

/** By the definitions: the latest ready day plus the changes between its end and the end of the requested day. */
function naiveFollowers({ changes, snapshots }: History, day: string) {
  const endOf = (last: string) => lineDayStart(addDays(last, 1));
  const base = snapshots
    .filter((snapshot) => snapshot.isReady && snapshot.day <= day)
    .sort((a, b) => (a.day < b.day ? 1 : -1))[0];
  const since = changes.filter(({ at }) => at < endOf(day) && (base === undefined || at >= endOf(base.day)));
  const sum = (name: 'followers' | 'blocks') =>
    since.reduce((total, change) => total + change[name], base?.[name] ?? 0);
  return { followers: sum('followers'), blocks: Math.max(0, sum('blocks')), isReported: base?.day === day };
}

test('a day’s followers are those of the latest ready day plus the later changes', async (t) => {
  const { sql } = await testDatabase(t);
  const requestedDays = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 })), {
    minLength: 1,
    maxLength: 12,
  });
  await holds(
    t,
    fc.asyncProperty(history, history, requestedDays, async (one, other, days) => {
      const bots = [
        { botId: await addHistory(sql, one), history: one },
        { botId: await addHistory(sql, other), history: other },
      ] as const;
      const calls = days.map(([isOne, day]) => ({ ...bots[isOne ? 0 : 1], day: addDays(firstDay, day) }));
      const followerDays = await readFollowerDays(
        sql,
        calls.map(({ botId, day }) => ({ botId, day })),
      );
      for (const [index, { history, day }] of calls.entries()) {
        const { isReported, ...expected } = naiveFollowers(history, day);
        const { snapshot = null, own } = followerDays[index] ?? {};
        const { followers, blocks } = snapshot ?? own ?? {};
        assert.deepEqual({ isReported: snapshot !== null, followers, blocks }, { isReported, ...expected });
      }
    }),
    { runs },
  );
});

const sentAt = lineDayStart('2026-02-01');
const crowd = fc.record({
  kind: fc.constantFrom<InteractionKind>('impression', 'click', ...mediaKinds),
  seq: fc.integer({ min: 1, max: 2 }),
  url: fc.constantFrom('https://a.example/', 'https://b.example/?q=值'),
  first: fc.integer({ min: 0, max: 12 }),
  people: fc.integer({ min: 1, max: 30 }),
  times: fc.integer({ min: 1, max: 2 }),
  at: fc.constantFrom(sentAt, sentAt + 14 * dayMs - 1, sentAt + 14 * dayMs),
});
type Crowd = typeof crowd extends fc.Arbitrary<infer Value> ? Value : never;

function interactionsOf(
  requestId: string,
  { kind, seq, url, first, people, times, at }: Crowd,
): Interaction[] {
  return Array.from({ length: people * times }, (_, index) => ({
    ...{ requestId, kind, seq, url: kind === 'click' ? url : '', at },
    person: `U${first + (index % people)}`,
  }));
}

type NaiveInteraction = Pick<Interaction, 'kind' | 'seq' | 'url' | 'person'>;

/** The number of interactions and of people; null with fewer than 20 people. */
function naiveCount(
  interactions: readonly NaiveInteraction[],
  is: (one: NaiveInteraction) => boolean,
): [number | null, number | null] {
  const matches = interactions.filter(is);
  const people = new Set(matches.map(({ person }) => person)).size;
  return people < 20 ? [null, null] : [matches.length, people];
}

function naiveAnswer(interactions: readonly NaiveInteraction[]) {
  const uniqueOf = (kind: InteractionKind) => naiveCount(interactions, (one) => one.kind === kind)[1];
  const numbers = (is: (one: NaiveInteraction) => boolean) =>
    [...new Set(interactions.filter(is).map(({ seq }) => seq))].sort();
  const links = new Map(
    interactions.filter(({ kind }) => kind === 'click').map((one) => [`${one.seq} ${one.url}`, one]),
  );
  return {
    unique: ['impression', 'click', 'media-play', 'media-play-100'].map((kind) =>
      uniqueOf(kind as InteractionKind),
    ),
    messages: numbers(({ kind }) => kind !== 'click').map((seq) => [
      seq,
      naiveCount(interactions, (one) => one.kind === 'impression' && one.seq === seq)[0],
      ...mediaKinds.flatMap((kind) =>
        naiveCount(interactions, (one) => one.kind === kind && one.seq === seq),
      ),
    ]),
    clicks: [...links]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { seq, url }]) => [
        seq,
        url,
        ...naiveCount(interactions, (one) => one.kind === 'click' && one.seq === seq && one.url === url),
        naiveCount(interactions, (one) => one.kind === 'click' && one.url === url)[1],
      ]),
  };
}

test('statistics count each person once, in any batches, and withhold counts of fewer than 20 people', async (t) => {
  const { sql } = await testDatabase(t);
  const botId = await addBot(sql);
  let requests = 0;
  await holds(
    t,
    fc.asyncProperty(
      fc.array(crowd, { maxLength: 8 }),
      fc.integer({ min: 1, max: 60 }),
      async (crowds, batchSize) => {
        const requestId = `request ${++requests}`;
        await recordSend(sql, botId, { requestId, kind: 'broadcast', unit: null, recipients: 100, sentAt });
        const interactions = crowds.flatMap((one) => interactionsOf(requestId, one));
        for (let start = 0; start < interactions.length; start += batchSize) {
          const batch = interactions.slice(start, start + batchSize);
          await sql.begin((tx) => addInteractions(tx, botId, batch));
        }
        const statistics = await readMessageStatistics(sql, { botId, requestId });
        const answer = toMessageEvent(statistics, { requestId });
        const counted = interactions.filter(({ at }) => at < sentAt + 14 * dayMs);
        assert.deepEqual(valuesOf(answer), naiveAnswer(counted));
      },
    ),
    { runs },
  );
});

/** The answer's values in the model's order. */
function valuesOf(answer: unknown) {
  const { overview, messages, clicks } = answer as Record<
    'messages' | 'clicks',
    Record<string, unknown>[]
  > & {
    overview: Record<string, unknown>;
  };
  const { uniqueImpression, uniqueClick, uniqueMediaPlayed, uniqueMediaPlayed100Percent } = overview;
  const media = ['', '25Percent', '50Percent', '75Percent', '100Percent'];
  return {
    unique: [uniqueImpression, uniqueClick, uniqueMediaPlayed, uniqueMediaPlayed100Percent],
    messages: messages.map((one) => [
      one.seq,
      one.impression,
      ...media.flatMap((name) => [one[`mediaPlayed${name}`], one[`uniqueMediaPlayed${name}`]]),
    ]),
    clicks: clicks.map(({ seq, url, click, uniqueClick, uniqueClickOfRequest }) => [
      seq,
      url,
      click,
      uniqueClick,
      uniqueClickOfRequest,
    ]),
  };
}
