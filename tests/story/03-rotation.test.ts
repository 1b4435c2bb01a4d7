/**
 * Chapter 3: rotation of secrets during operation.
 *
 * LINE issues a new channel secret, and the API pair is refreshed. No delivery signed with the old secret is lost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseEnvironment, serve, shoalJson } from '../harness/cli.ts';
import { lineSignature } from '../harness/fixtures.ts';
import { lineBody } from '../harness/webhooks.ts';
import { becomes, call, pairOf } from './calls.ts';

test('deliveries signed with the old or the new channel secret are accepted during a rotation', async (t) => {
  const environment = await databaseEnvironment(t);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  await shoalJson(environment, 'channel', 'set', botId, 'line', '--channel-secret', 'the-old-secret');
  const { address } = await serve(environment);
  const send = async (id: string, secret: string) => {
    const at = Date.parse('2026-03-01T10:00:00+08:00');
    const body = lineBody([{ type: 'message', id, user: 'A', at }]);
    const headers = { 'content-type': 'application/json', ...lineSignature(body, secret) };
    return (await fetch(`${address}/webhooks/${botId}/line`, { method: 'POST', headers, body })).status;
  };
  assert.equal(await send('m1', 'the-old-secret'), 200);
  assert.equal(await send('m2', 'the-new-secret'), 401);

  // LINE's console issued a new secret. A command sets it, and the running server uses it within seconds.
  await shoalJson(environment, 'channel', 'set', botId, 'line', '--channel-secret', 'the-new-secret');
  await becomes(() => send('m2', 'the-new-secret'), 200);
  assert.equal(await send('m3', 'the-old-secret'), 200);

  // Three messages arrived, the second one several times.
  const figures = async () =>
    Object((await call(`${address}/openapi/clients/analysis`, pair)).body.clientAnalysis);
  await becomes(async () => (await figures()).lineMessageNumbers, 3);
});

test('an API pair is exchanged for a new one, and calls with the old one say so', async (t) => {
  const environment = await databaseEnvironment(t);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { address } = await serve(environment);

  // POST /openapi/token
  const { status, body } = await call(`${address}/openapi/token`, pair);
  assert.equal(status, 200);
  const renewed = pairOf({ ...body, botId: pair.botId });

  const url = `${address}/openapi/clients/analysis`;
  assert.equal((await call(url, renewed)).status, 200);
  const old = await call(url, pair);
  assert.equal(old.status, 404);
  assert.equal(Object(old.body.errResponse).code, 120000);
});
