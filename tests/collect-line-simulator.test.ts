/** The collector with the LINE simulator, which knows the true figures and applies LINE's rate limits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openKeys } from '../src/auth/keys.ts';
import { setChannel } from '../src/bots/set-channel.ts';
import { LineClient } from '../src/line/line-client.ts';
import { readRichMenuReport } from '../src/line/rich-menus.ts';
import { collecting } from './harness/collecting.ts';
import { recordSend } from './harness/line-figures.ts';
import { lineClient, simulatorStart, testLineSimulator } from './harness/line-simulator.ts';
import { seededBytes } from './harness/random.ts';
import { waitUntilFolded } from './harness/server.ts';

test('the collected figures equal the simulator’s truth, and the collector stays within LINE’s rate limits', async (t) => {
  const { sql, botId, addCollector, calls } = await collecting(t, { now: simulatorStart });
  const simulator = await testLineSimulator(t, { pastDays: 20 });
  const { accessToken, destination } = simulator.credentials;
  const random = seededBytes(3);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const clock = () => simulator.control.now();
  await setChannel(sql, { botId, platform: 'line', accessToken }, { now: clock(), random, keys });
  const client = lineClient(simulator);
  const { httpResponse } = await client.broadcastWithHttpInfo({
    messages: [{ type: 'text', text: 'Spring' }],
  });
  const requestId = httpResponse.headers.get('x-line-request-id') ?? '';
  await recordSend(sql, botId, {
    requestId,
    kind: 'broadcast',
    unit: null,
    recipients: null,
    sentAt: clock(),
  });
  const bounds = (x: number) => ({ x, y: 0, width: 800, height: 800 });
  const areas = [0, 800, 1_600].map((x) => ({
    bounds: bounds(x),
    action: { type: 'message' as const, text: String(x) },
  }));
  const size = { width: 2_400, height: 800 };
  const menu = { size, selected: true, name: 'Spring', chatBarText: 'Menu', areas };
  const { richMenuId } = await client.createRichMenu(menu);
  const line = new LineClient(simulator.address);
  t.after(() => line.close());
  const collector = addCollector({ line, clock, keys });
  for (let step = 0; step < 60; step += 1) {
    while ((await collector.round()) > 0);
    await simulator.control.run({ minutes: step < 12 ? 15 : 60 });
  }
  await waitUntilFolded(sql);
  const { days, sends } = simulator.control.truth();
  const snapshots = await sql<{ kind: string; day: string; value: Record<string, number> }[]>`
    select kind, to_char(day, 'YYYY-MM-DD') as day, value from snapshots where status = 'ready'`;
  const values = new Map(snapshots.map(({ kind, day, value }) => [`${kind} ${day}`, value]));
  for (const { day, followers, blocks, messagesOut } of days.slice(0, -2)) {
    const { followers: collected, blocks: blocked } = values.get(`followers ${day}`) ?? {};
    assert.deepEqual([collected, blocked], [followers, blocks], day);
    const { status: _status, ...sent } = values.get(`delivery ${day}`) ?? {};
    assert.deepEqual(sent, messagesOut, day);
  }
  assert.ok(days.length > 20);
  assert.ok(values.has('quota 2026-03-18') && values.has('demographic 2026-03-18'));
  const [send] = await sql`select recipients from line_sends where request_id = ${requestId}`;
  assert.equal(send?.recipients, sends.find((one) => one.requestId === requestId)?.recipients.length);
  const [channel] = await sql`select account_id from channels`;
  assert.equal(channel?.account_id, destination);
  for (const form of ['daily', 'summary']) {
    const path = `/v2/bot/insight/richmenu/${richMenuId}/${form}`;
    const query = '?from=20260301&to=20260319';
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = (await (await fetch(simulator.address + path + query, { headers })).json()) as object;
    assert.ok('clicks' in answer, 'enough people tapped');
    assert.deepEqual(await readRichMenuReport(sql, botId, { path, query }), answer);
  }
  assert.deepEqual(
    calls.filter((outcome) => !outcome.endsWith(' answered')),
    [],
  );
});
