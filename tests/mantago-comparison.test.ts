/**
 * The comparison with MantaGo, on the same calls of both servers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Stopped } from '../src/collector/source.ts';
import { type CompareParts, compare, listComparisons } from '../src/mantago/comparison.ts';
import { findWatch, putWatch, removeWatch } from '../src/mantago/watch-rows.ts';
import { compareDue } from '../src/mantago/watches.ts';
import { dayMs } from '../src/time.ts';
import {
  addTheirClients,
  givePoints,
  lineId,
  type MovingIn,
  movingIn,
  theirId,
} from './harness/moving-in.ts';

const options = { tolerance: 1, sample: 20 };

function compareParts({ parts, server }: MovingIn): CompareParts {
  return { ...parts, gate: { ...server.gate, allowPrivate: true }, client: parts.client };
}

test('after an import only figures with a known reason differ, and each gap has its reason', async (t) => {
  const world = await movingIn(t);
  const { sql, theirs, botId, server } = world;
  await addTheirClients(world, { from: 0, to: 12 });
  world.mantago.behaviour.change = (_, { clientAnalysis }) => {
    const facebook = { fbFollowers: 200, fbMessageNumbers: 30 };
    if (clientAnalysis)
      Object.assign(clientAnalysis, facebook, { botTotallFollowers: 200, botTotallMessages: 30 });
  };
  await world.start({ callsPerMinute: 6_000 });
  await world.walk();
  const first = await compare(compareParts(world), botId, options);
  const gaps = first.figures.filter(({ gap }) => gap !== 0 && gap !== null);
  assert.deepEqual(
    gaps.map(({ figure, ours, theirs, gap, percent, isBeyond, reason }) => [
      figure,
      ours,
      theirs,
      gap,
      percent,
      isBeyond,
      reason,
    ]),
    [
      ['fbFollowers', 0, 200, -200, 100, true, 'not-yet-followers'],
      ['fbMessageNumbers', 0, 30, -30, 100, true, 'since-connection'],
      ['botTotallFollowers', 0, 200, -200, 100, true, 'not-yet-followers'],
      ['botTotallMessages', 0, 30, -30, 100, true, 'since-connection'],
    ],
  );
  const byName = new Map(first.figures.map((one) => [`${one.call} ${one.figure}`, one]));
  assert.deepEqual(
    [
      'clients known',
      'clients clientName',
      'clients tags',
      'client/point points',
      'client/point clientsWithEqualPoints',
      'autoTags/list autoTags',
    ].map((name) => [byName.get(name)?.ours, byName.get(name)?.theirs]),
    [
      [13, 13],
      [13, 13],
      [13, 13],
      [91, 91],
      [13, 13],
      [1, 1],
    ],
  );
  await givePoints(sql, theirs.botId, [{ contactId: theirId(3), amount: 9, key: 'more' }], server.now);
  await addTheirClients(world, { from: 13, to: 13 });
  world.time.now += 1_000;
  const second = await compare(compareParts(world), botId, options);
  assert.deepEqual(second.clients, [
    { platform: 'line', clientId: lineId(13), figure: 'points', ours: 0, theirs: 14 },
    { platform: 'line', clientId: lineId(3), figure: 'points', ours: 4, theirs: 13 },
  ]);
  const reasons = second.figures.filter(
    ({ call, reason }) => call.startsWith('client') && !call.includes('analysis') && reason !== null,
  );
  assert.deepEqual(
    reasons.map(({ figure, reason }) => [figure, reason]),
    [
      ['known', 'not-imported'],
      ['points', 'points-since'],
      ['clientsWithEqualPoints', 'points-since'],
    ],
  );
  const stored = await listComparisons(sql, botId, { before: null, limit: 10 });
  assert.deepEqual(
    stored.map(({ beyond }) => beyond),
    [second.beyond, first.beyond],
  );
  assert.ok(!JSON.stringify(stored).includes(lineId(3)), 'the series names no person');
});

test('a tolerance allows gaps up to it', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 3 });
  await world.start({ callsPerMinute: 6_000 });
  await world.walk();
  await givePoints(
    world.sql,
    world.theirs.botId,
    [{ contactId: theirId(0), amount: 1, key: 'more' }],
    world.server.now,
  );
  const beyondAt = async (tolerance: number) => {
    world.time.now += 1_000;
    const { figures } = await compare(compareParts(world), world.botId, { tolerance, sample: 20 });
    return figures.filter(({ isBeyond }) => isBeyond).map(({ figure }) => figure);
  };
  assert.deepEqual(await beyondAt(9), ['points', 'clientsWithEqualPoints']);
  assert.deepEqual(await beyondAt(10), ['clientsWithEqualPoints']);
  assert.deepEqual(await beyondAt(25), []);
});

test('clients and figures that Shoal cannot hold are not known, and the rest is compared', async (t) => {
  const world = await movingIn(t);
  await addTheirClients(world, { from: 0, to: 1 });
  await world.start({ callsPerMinute: 6_000 });
  await world.walk();
  world.mantago.behaviour.change = ({ path }, answer) => {
    const { clientList, clientAnalysis } = answer as Record<string, { list: object[] } | undefined>;
    const odd = { toString: 1 };
    const ids = ['U\0', 7, odd, undefined];
    const clients = ids.map((clientId) => ({ platform: 'line', clientId }));
    if (path.endsWith('/clients'))
      clientList?.list.push(...clients, { platform: 'icq', clientId: '1' }, { platform: odd, clientId: odd });
    if (clientAnalysis) Object.assign(clientAnalysis, { 'odd\0': 1, oddText: '\0', 'odd\ud800': 1 });
  };
  const { figures } = await compare(compareParts(world), world.botId, options);
  const known = figures.find(({ figure }) => figure === 'known');
  assert.deepEqual([known?.ours, known?.theirs], [2, 8]);
  await world.start();
  assert.equal((await world.walk()).state, 'done');
});

test('the daily comparison keeps its time of the day, pauses after failures, and ends', async (t) => {
  const world = await movingIn(t);
  const { sql, botId, time, mantago } = world;
  await addTheirClients(world, { from: 0, to: 1 });
  await world.start({ callsPerMinute: 6_000 });
  await world.walk();
  const look = () => compareDue({ ...compareParts(world), log: pino({ enabled: false }) }, botId);
  const firstAt = time.now;
  await putWatch(sql, botId, { ...options, firstAt, now: time.now });
  const count = async () => (await listComparisons(sql, botId, { before: null, limit: 100 })).length;
  await Promise.all([look(), look()]);
  assert.deepEqual([await count(), (await findWatch(sql, botId))?.nextAt.getTime()], [1, firstAt + dayMs]);
  time.now = firstAt + dayMs;
  mantago.behaviour.before = () => ({ status: 429, retryAfter: '90', code: 1 });
  await look();
  const failed = await findWatch(sql, botId);
  assert.deepEqual([await count(), failed?.nextAt.getTime()], [1, time.now + 90_000]);
  assert.match(failed?.problem ?? '', /limits the calls/);
  mantago.behaviour.before = () => undefined;
  time.now += 3 * dayMs;
  await look();
  const next = await findWatch(sql, botId);
  assert.equal(next?.problem, null);
  assert.ok(next && next.nextAt.getTime() > time.now && next.nextAt.getTime() <= time.now + dayMs);
  await removeWatch(sql, botId);
  time.now += dayMs;
  await look();
  assert.equal(await count(), 2);
});

test('a comparison locks nothing during its calls, and its failure or a stop leaves those of other bots due', async (t) => {
  const world = await movingIn(t);
  const { sql, botId, time, mantago } = world;
  const other = await world.server.addBot();
  await world.start({ callsPerMinute: 6_000 });
  const logged: unknown[] = [];
  const log = { error: (...entry: unknown[]) => void logged.push(entry) };
  const parts = { ...compareParts(world), log };
  const now = time.now;
  await putWatch(sql, botId, { ...options, firstAt: now - 2, now });
  await putWatch(sql, other.botId, { ...options, firstAt: now - 1, now });
  mantago.behaviour.before = async () => {
    await sql.begin(async (tx) => {
      await tx`set local lock_timeout = '1s'`;
      await putWatch(tx, botId, { ...options, firstAt: now + 5, now });
    });
    return undefined;
  };
  assert.equal(await compareDue(parts, botId), true);
  assert.equal((await findWatch(sql, botId))?.nextAt.getTime(), now + 5, 'the newer setting stays');
  assert.equal(await compareDue(parts, other.botId), true);
  assert.match((await findWatch(sql, other.botId))?.problem ?? '', /no connection/);
  assert.equal(await compareDue(parts, botId), false);
  time.now += 5;
  const failing = (error: Error) => ({
    ...parts,
    client: { call: () => Promise.reject(error), pause: async () => undefined },
  });
  assert.equal(await compareDue(failing(new TypeError('odd')), botId), true);
  assert.deepEqual([logged.length, (await findWatch(sql, botId))?.nextAt.getTime()], [1, time.now + 60_000]);
  time.now += 60_000;
  await removeWatch(sql, other.botId);
  await assert.rejects(compareDue(failing(new Stopped('end')), botId), Stopped);
  assert.equal((await findWatch(sql, botId))?.nextAt.getTime(), time.now);
  await removeWatch(sql, botId);
});
