/**
 * The backup of docs/operate.md: a copy of the data folder while Shoal is stopped, which replaces a damaged one.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { dataFolder, serve, shoalJson } from './harness/cli.ts';
import { deliver, lineBody, lineSecret } from './harness/webhooks.ts';
import { becomes, call, pairOf } from './story/calls.ts';

test('a copy of the data folder restores the figures, the credentials and the API pair', async (t) => {
  const environment = await dataFolder(t);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  await shoalJson(environment, 'channel', 'set', botId, 'line', '--channel-secret', lineSecret);
  const send = async (address: string, id: string) => {
    const body = lineBody([{ type: 'message', id, user: 'A', at: Date.parse('2026-03-01T10:00:00+08:00') }]);
    assert.equal((await deliver(address, { botId, platform: 'line' }, body)).status, 200);
  };
  const messages = async (address: string) =>
    Object((await call(`${address}/openapi/clients/analysis`, pair)).body.clientAnalysis).lineMessageNumbers;
  const copy = `${environment.folder}-backup`;
  t.after(() => rm(copy, { recursive: true, force: true }));

  const first = await serve(environment);
  await send(first.address, 'm1');
  await becomes(() => messages(first.address), 1);
  assert.equal(await first.stop(), 0);
  await promisify(execFile)('cp', ['-a', environment.folder, copy]);

  const second = await serve(environment);
  await send(second.address, 'm2');
  await becomes(() => messages(second.address), 2);
  assert.equal(await second.stop(), 0);

  // The disk is damaged, and the copy replaces the folder.
  await rename(environment.folder, `${environment.folder}-damaged`);
  t.after(() => rm(`${environment.folder}-damaged`, { recursive: true, force: true }));
  await promisify(execFile)('cp', ['-a', copy, environment.folder]);
  const restored = await serve(environment);
  assert.equal(await messages(restored.address), 1);
  await send(restored.address, 'm2');
  await becomes(() => messages(restored.address), 2);
});
