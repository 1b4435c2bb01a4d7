/** `shoal collect` and the collector inside `shoal serve`, as processes with a fake LINE on loopback. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ShoalEnvironment, serve, shoal, shoalJson } from './harness/cli.ts';
import { collectingEnvironment, statusOf } from './harness/collecting-environment.ts';

const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));

test('Ctrl-C stops the run cleanly, and the next run continues from there', async (t) => {
  const { environment, line, botId } = await collectingEnvironment(t, { days: 60 });
  line.delayMs = 20;
  const { stderr, code } = await interruptCollect(environment, botId, () => line.calls.length > 30);
  assert.equal(code, 1);
  assert.match(stderr, /Up to \d+ days to fetch\. LINE's rate limit makes this take about/);
  assert.match(stderr, /Stopping\. Run it again to continue\./);
  line.delayMs = 0;
  assert.equal((await shoalJson(environment, 'collect', botId)).done, true);
  const days = line.callsOf('followers');
  assert.equal(new Set(days).size, 61);
  assert.ok(days.length <= 62, 'more than the interrupted call was repeated');
});

test('two concurrent runs share the work, and no figure is requested twice', async (t) => {
  const { environment, line, botId } = await collectingEnvironment(t, { days: 40 });
  line.delayMs = 5;
  const runs = await Promise.all([
    shoal(environment, 'collect', botId),
    shoal(environment, 'collect', botId),
  ]);
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0],
  );
  assert.equal(line.overlaps, 0);
  const days = line.callsOf('delivery');
  assert.deepEqual([days.length, new Set(days).size], [41, 41]);
});

test('serve collects unless it is disabled, and its metrics show calls and stopped channels', async (t) => {
  const { environment, line, botId } = await collectingEnvironment(t, { days: 5 });
  const collecting: ShoalEnvironment = { ...environment, env: { ...environment.env, SHOAL_COLLECT: 'on' } };
  line.token = 'another-token';
  const [withoutCollection, { address, stop }] = await Promise.all([serve(environment), serve(collecting)]);
  const metricsOf = async (server: string) => (await fetch(`${server}/metrics`)).text();
  while (!/shoal_line_collections_stopped 1/.test(await metricsOf(address))) await pause(50);
  const refusedCalls = line.calls.filter(({ endpoint }) => endpoint !== 'friends').length;
  await shoalJson(environment, 'channel', 'set', botId, 'line', '--channel-access-token', 'another-token');
  while ((await statusOf(environment, botId, 'followers')).daysLeft !== 0) await pause(200);
  const metrics = await metricsOf(address);
  assert.match(metrics, /shoal_line_calls_total\{endpoint="followers",outcome="answered"\} 6/);
  assert.match(metrics, /shoal_line_collections_stopped 0/);
  assert.doesNotMatch(await metricsOf(withoutCollection.address), /shoal_line_calls_total\{/);
  assert.ok(refusedCalls >= 1 && refusedCalls <= 4, `${refusedCalls} calls with a rejected token`);
  assert.equal(await stop(), 0);
});

async function interruptCollect(
  environment: ShoalEnvironment,
  botId: string,
  isEnough: () => boolean,
): Promise<{ stderr: string; code: unknown }> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [program, 'collect', botId], { env: { PATH, ...environment.env } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part) => {
    stderr += part;
  });
  const ended = once(child, 'close');
  while (!isEnough() && child.exitCode === null) await pause(10);
  child.kill('SIGINT');
  const [code] = await ended;
  return { stderr, code };
}
