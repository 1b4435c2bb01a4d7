/**
 * LINE's side and Shoal together: what Shoal counts of the webhooks is what LINE's side says it told, whatever happened on the
 * way; and `shoal sandbox line` as its users meet it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callMantago } from '../simulator/caller.ts';
import { lineClient, testLineSide } from './harness/line-side.ts';
import { testServer } from './harness/server.ts';

const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));

test('Shoal counts exactly what it was told, though webhooks come twice, late and out of order', async (t) => {
  const server = await testServer(t);
  const side = await testLineSide(t, { people: 150 });
  const { destination, channelSecret, accessToken } = side.credentials;
  const bot = await server.addBot();
  const channel = { accountId: destination, secret: channelSecret, accessToken };
  await server.addChannel(bot.botId, { platform: 'line', ...channel });
  const endpoint = `${server.address}/webhooks/${bot.botId}/line`;
  await lineClient(side).setWebhookEndpoint({ endpoint });
  assert.equal((await lineClient(side).testWebhookEndpoint()).success, true);
  side.control.set({ webhook: { batchMax: 8, repeatShare: 0.4, lateMinutesMax: 240 } });
  await side.control.run({ days: 5, stepMinutes: 60 });
  side.control.set({ webhook: { lateMinutesMax: 0 } });
  await side.control.run({ hours: 5 });
  await server.folded();
  const { told, followers } = side.control.truth();
  const { clientAnalysis } = await callMantago(server.address, 'clients/analysis', bot, { platform: 'line' });
  const counted = Object(clientAnalysis);
  assert.deepEqual(
    [counted.lineFollowers, counted.lineBlocks, counted.lineMessageNumbers],
    [told.followers, told.blocks, told.messagesIn],
  );
  assert.ok(told.messagesIn > 50 && told.followers < followers, 'friends from before are not told of');
});

test('shoal sandbox line prints what connects a channel, obeys over HTTP, and ends in order', async (t) => {
  const args = ['sandbox', 'line', '--port', '0', '--people', '30', '--still', '--begin', '2026-03-18'];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.setEncoding('utf8');
  for await (const part of child.stdout) {
    out += part;
    if (out.includes('/sandbox/truth')) break;
  }
  const [, address = ''] = /listens on (http:\S+):/.exec(out) ?? [];
  assert.match(out, new RegExp(`export SHOAL_LINE_API=${address}`));
  assert.match(
    out,
    /channel set BOT line --channel-secret [0-9a-f]{32} --channel-access-token [0-9a-f]{64} --destination U[0-9a-f]{32}/,
  );
  const response = await fetch(`${address}/sandbox/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"days":1}',
  });
  assert.deepEqual(await response.json(), { now: '2026-03-18T15:00:00.000Z' });
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
});
