/**
 * Chapter 4: unreadable deliveries and their replay.
 *
 * A signed delivery that cannot be parsed is answered with 200 and stored. It can be inspected, and replayed once the cause is
 * fixed. The figures can be verified against the events at any time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseEnvironment, type ShoalEnvironment, serve, shoal, shoalJson } from '../harness/cli.ts';
import { deliver, lineBody, lineSecret } from '../harness/webhooks.ts';
import { becomes, call, pairOf } from './calls.ts';

const line = { type: 'message', user: 'A', at: Date.parse('2026-03-01T10:00:00+08:00') } as const;

test('an unreadable delivery is listed with its reason, shown unchanged, and replayed', async (t) => {
  const environment = await databaseEnvironment(t);
  const { botId } = await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop');
  const bot = String(botId);
  await shoalJson(environment, 'channel', 'set', bot, 'line', '--channel-secret', lineSecret);
  const { address } = await serve(environment);
  const broken = '{"destination":"U1","events":"none"}';
  assert.equal((await deliver(address, { botId: bot, platform: 'line' }, broken)).status, 200);

  // npx shoal deliveries list BOT
  await becomes(async () => (await setAside(environment, bot)).length, 1);
  const [delivery] = await setAside(environment, bot);
  assert.equal(delivery?.state, 'set-aside');
  assert.match(String(delivery?.reason), /events/);

  // npx shoal deliveries show BOT NUMBER
  const number = String(delivery?.deliveryId);
  assert.equal((await shoal(environment, 'deliveries', 'show', bot, number)).stdout, `${broken}\n`);

  // npx shoal deliveries replay BOT NUMBER: the cause remains, so the delivery is set aside again.
  assert.equal((await shoalJson(environment, 'deliveries', 'replay', bot, number)).replayed, 1);
  await becomes(async () => (await setAside(environment, bot)).length, 1);
  // Replays all deliveries that are set aside, which is this one only.
  assert.equal((await shoalJson(environment, 'deliveries', 'replay', bot, '--all-set-aside')).replayed, 1);
});

test('a replay of a counted delivery changes nothing, and a recount finds the same figures', async (t) => {
  const environment = await databaseEnvironment(t);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  await shoalJson(environment, 'channel', 'set', botId, 'line', '--channel-secret', lineSecret);
  const { address } = await serve(environment);
  const body = lineBody([
    { ...line, id: 'm1' },
    { ...line, id: 'm2', at: line.at + 60_000 },
  ]);
  assert.equal((await deliver(address, { botId, platform: 'line' }, body)).status, 200);
  const messages = async () =>
    Object((await call(`${address}/api/openapi/clients/analysis`, pair)).body.clientAnalysis)
      .lineMessageNumbers;
  await becomes(messages, 2);

  const { deliveries } = await shoalJson(environment, 'deliveries', 'list', botId, '--state', 'folded');
  const [folded] = deliveries as { deliveryId: number }[];
  await shoalJson(environment, 'deliveries', 'replay', botId, String(folded?.deliveryId));
  const pending = async () =>
    (await shoalJson(environment, 'deliveries', 'list', botId, '--state', 'pending')).deliveries;
  await becomes(pending, []);
  assert.equal(await messages(), 2);

  // npx shoal recount BOT --check exits with 0 if every stored figure equals the one of the events.
  assert.equal((await shoal(environment, 'recount', botId, '--check')).code, 0);
  assert.deepEqual((await shoalJson(environment, 'recount', botId)).differences, []);
  assert.equal(await messages(), 2);
});

async function setAside(environment: ShoalEnvironment, botId: string): Promise<Record<string, unknown>[]> {
  const { deliveries } = await shoalJson(environment, 'deliveries', 'list', botId);
  return deliveries as Record<string, unknown>[];
}
