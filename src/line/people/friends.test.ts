import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { LineSimulatorOptions } from '../../../simulator/line/simulator.ts';
import { testDatabase } from '../../../tests/harness/database.ts';
import { testLineSimulator } from '../../../tests/harness/line-simulator.ts';
import { openKeys } from '../../auth/keys.ts';
import { createBot } from '../../bots/bots.ts';
import { setChannel } from '../../bots/set-channel.ts';
import { readFigures } from '../../reports/totals.ts';
import { dayMs, secondMs } from '../../time.ts';
import { LineAccess } from '../access.ts';
import { LineClient } from '../line-client.ts';
import {
  dueFriendLists,
  type FriendParts,
  readFriendList,
  readFriendLists,
  readFriendPage,
  restartFriendList,
} from './friends.ts';

async function shop(t: TestContext, options: LineSimulatorOptions = {}) {
  const { sql } = await testDatabase(t);
  const simulator = await testLineSimulator(t, { people: 2_300, pastDays: 3, ...options });
  const keys = await openKeys({
    secretKey: 'a secret key for tests, long enough',
    dataFolder: '',
    random: randomBytes,
  });
  const clock = () => simulator.control.now();
  const { channelId, channelSecret: secret } = simulator.credentials;
  const creation = { now: clock(), random: randomBytes, keys };
  const { botId } = await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, creation);
  await setChannel(sql, { botId, platform: 'line', channelId, secret }, creation);
  const line = new LineClient(simulator.address);
  t.after(() => line.close());
  const access = new LineAccess(line, { clock, onCall: () => undefined });
  const calls: string[] = [];
  const parts: FriendParts = {
    ...{ sql, keys, line, access, clock, random: randomBytes },
    onCall: (_endpoint, outcome) => void calls.push(outcome),
  };
  const contacts = async () => {
    const rows = await sql<{ id: string }[]>`
      select platform_contact_id as id from contacts where listed_at is not null order by 1`;
    return rows.map(({ id }) => id);
  };
  return { sql, simulator, parts, botId, calls, contacts };
}

test('each friend becomes a contact once, in pages, and no figure of followers changes', async (t) => {
  const { sql, simulator, parts, botId, calls, contacts } = await shop(t);
  const { followers, blocks } = simulator.control.truth();
  assert.deepEqual(await dueFriendLists(sql, parts.clock()), [botId]);
  while ((await dueFriendLists(sql, parts.clock())).length > 0) await readFriendLists(parts, () => false);
  const friends = followers - blocks;
  assert.equal(new Set(await contacts()).size, friends);
  const list = await readFriendList(sql, botId);
  assert.deepEqual([list?.state, list?.listed, list?.added], ['done', friends, friends]);
  assert.equal(calls.length, Math.ceil(friends / 1_000));
  const figures = (await readFigures(sql, botId, parts.clock()))?.platforms.line;
  assert.deepEqual([figures?.followers, figures?.blocks], [0, 0]);

  await restartFriendList(sql, botId, parts.clock());
  while ((await readFriendList(sql, botId))?.state === 'reading') await readFriendPage(parts, botId);
  const again = await readFriendList(sql, botId);
  assert.deepEqual([again?.listed, again?.added], [friends, 0]);
});

test('a killed reading repeats its page only, and an expired page token starts again', async (t) => {
  const { sql, parts, botId, calls, contacts, simulator } = await shop(t);
  await readFriendPage(parts, botId);
  const killed: FriendParts = { ...parts, random: () => assert.fail('killed') };
  await assert.rejects(readFriendPage(killed, botId), /killed/);
  assert.equal((await contacts()).length, 1_000);
  await readFriendPage(parts, botId);
  assert.equal((await contacts()).length, 2_000);
  await simulator.control.run({ hours: 25 });
  await readFriendPage(parts, botId);
  assert.equal((await readFriendList(sql, botId))?.listed, 0);
  assert.deepEqual(await dueFriendLists(sql, parts.clock()), [], 'the new start waits');
  await simulator.control.run({ seconds: 5 });
  assert.deepEqual(await dueFriendLists(sql, parts.clock()), [botId]);
  while ((await readFriendList(sql, botId))?.state === 'reading') await readFriendPage(parts, botId);
  const listed = (await readFriendList(sql, botId))?.listed ?? 0;
  // Some friends have blocked the account since, but their contacts stay.
  assert.ok(listed > 2_000 && listed <= (await contacts()).length);
  assert.ok(calls.length <= 8);
});

test('only LINE’s refusal of the page token starts the list again; other failures repeat the page', async (t) => {
  const { sql, parts, botId, contacts, simulator } = await shop(t);
  let now = parts.clock();
  const read = () => readFriendPage({ ...parts, clock: () => now }, botId);
  const listed = async () => (await readFriendList(sql, botId))?.listed;
  await read();
  for (const status of [404, 403, 418, 429, 500]) {
    simulator.control.fail({ kind: 'error', path: '/v2/bot/followers/ids', status });
    await read();
    assert.equal(await read(), false, 'a pause ends before the next call');
    assert.equal(await listed(), 1_000, String(status));
    assert.equal((await readFriendList(sql, botId))?.state, 'reading');
    now += 3_600 * secondMs;
  }
  await read();
  assert.equal(await listed(), 2_000);
  simulator.control.fail({ kind: 'error', path: '/v2/bot/followers/ids', status: 400 });
  await read();
  assert.equal(await listed(), 0);
  assert.equal((await contacts()).length, 2_000);
});

test('a page token that is a day old is not used', async (t) => {
  const { sql, parts, botId, calls } = await shop(t);
  await readFriendPage(parts, botId);
  const late = { ...parts, clock: () => parts.clock() + dayMs };
  await readFriendPage(late, botId);
  assert.equal(calls.length, 1);
  const list = await readFriendList(sql, botId);
  assert.deepEqual([list?.state, list?.listed], ['reading', 0]);
});

test('a page that another process has read since the list was due is not read again', async (t) => {
  const { parts, botId, calls } = await shop(t, { isVerified: false, people: 5 });
  const both = await Promise.all([readFriendPage(parts, botId), readFriendPage(parts, botId)]);
  assert.deepEqual(both.sort(), [false, true]);
  assert.deepEqual(calls, ['unavailable']);
});

test('an account without the list is asked again after a week, and a failure pauses the reading', async (t) => {
  const { sql, simulator, parts, botId, calls } = await shop(t, { isVerified: false, people: 5 });
  await readFriendLists(parts, () => false);
  assert.equal((await readFriendList(sql, botId))?.state, 'unavailable');
  assert.deepEqual(await dueFriendLists(sql, parts.clock() + 7 * dayMs - 1), []);
  assert.deepEqual(await dueFriendLists(sql, parts.clock() + 7 * dayMs), [botId]);
  assert.equal(await readFriendPage(parts, botId), false);
  assert.deepEqual(calls, ['unavailable']);
  simulator.control.set({ isVerified: true });
  await restartFriendList(sql, botId, parts.clock());
  simulator.control.fail({ kind: 'error', path: '/v2/bot/followers/ids' });
  await readFriendLists(parts, () => false);
  assert.match((await readFriendList(sql, botId))?.problem ?? '', /500/);
  assert.deepEqual(await dueFriendLists(sql, parts.clock() + 5 * secondMs - 1), []);
  assert.deepEqual(await dueFriendLists(sql, parts.clock() + 5 * secondMs), [botId]);
});
