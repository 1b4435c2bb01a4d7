/**
 * The LINE simulator and Shoal together: Shoal's counts equal the simulator's truth about delivered webhooks, despite
 * disturbances. Also the command `shoal sandbox line`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callMantago } from '../simulator/mantago-client.ts';
import { lineClient, testLineSimulator } from './harness/line-simulator.ts';
import { testServer } from './harness/server.ts';

const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));

test('Shoal counts delivered webhooks exactly, even when they are repeated, late and out of order', async (t) => {
  const server = await testServer(t);
  const simulator = await testLineSimulator(t, { people: 150 });
  const { destination, channelSecret, accessToken } = simulator.credentials;
  const bot = await server.addBot();
  const channel = { accountId: destination, secret: channelSecret, accessToken };
  await server.addChannel(bot.botId, { platform: 'line', ...channel });
  const endpoint = `${server.address}/webhooks/${bot.botId}/line`;
  await lineClient(simulator).setWebhookEndpoint({ endpoint });
  assert.equal((await lineClient(simulator).testWebhookEndpoint()).success, true);
  simulator.control.set({ webhook: { batchMax: 8, repeatShare: 0.4, lateMinutesMax: 240 } });
  await simulator.control.run({ days: 5, stepMinutes: 60 });
  simulator.control.set({ webhook: { lateMinutesMax: 0 } });
  await simulator.control.run({ hours: 5 });
  await server.folded();
  const { told: delivered, followers } = simulator.control.truth();
  const { clientAnalysis } = await callMantago(server.address, 'clients/analysis', bot, { platform: 'line' });
  const counted = Object(clientAnalysis);
  assert.deepEqual(
    [counted.lineFollowers, counted.lineBlocks, counted.lineMessageNumbers],
    [delivered.followers, delivered.blocks, delivered.messagesIn],
  );
  assert.ok(
    delivered.messagesIn > 50 && delivered.followers < followers,
    'webhooks do not report earlier friends',
  );
});

test('shoal sandbox line names the remedy for a port in use and for a webhook URL without a scheme', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, [program, 'sandbox', 'line', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    return { stderr, code };
  };
  const busy = await run('--port', `${port}`, '--people', '0');
  assert.equal(busy.code, 1);
  const problem = `shoal: 127.0.0.1:${port} is in use by another program. Use another --port or --host.\n`;
  assert.ok(busy.stderr.endsWith(problem) && !busy.stderr.includes('    at '), busy.stderr);
  const refused = await run('--port', '0', '--webhook', '127.0.0.1:8080/webhooks/BOT/line');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /It must be a URL that begins with http:\/\/ or https:\/\//);
});

test('shoal sandbox line prints the connection commands, serves HTTP control, and stops on a signal', async (t) => {
  const args = ['sandbox', 'line', '--port', '0', '--people', '30', '--still', '--begin', '2026-03-18'];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    out += chunk;
    if (out.includes('/sandbox/truth')) break;
  }
  const [, address = ''] = /listens on (http:\S+):/.exec(out) ?? [];
  assert.match(out, new RegExp(`export SHOAL_LINE_API=${address}`));
  assert.match(
    out,
    /channel set BOT line --channel-id [0-9]+ --channel-secret [0-9a-f]{32} --channel-access-token [0-9a-f]{64} --destination U[0-9a-f]{32}/,
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
