/**
 * Chapter 4: what could not be read, and the way back for it.
 *
 * A signed delivery that is not understood is answered 200 and kept. It can be looked at, and folded again once its cause is
 * mended; and the figures can be proved against the events at any time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databasePlace, type Place, serve, shoal, shoalJson } from '../harness/cli.ts';
import { deliver, lineBody, lineSecret } from '../harness/webhooks.ts';
import { becomes, call, pairOf } from './calls.ts';

const line = { type: 'message', user: 'A', at: Date.parse('2026-03-01T10:00:00+08:00') } as const;

test('a delivery that cannot be read is listed with its reason, shown as it came, and replayed', async (t) => {
  const place = await databasePlace(t);
  const { botId } = await shoalJson(place, 'bot', 'create', '--name', 'Tea shop');
  const bot = String(botId);
  await shoalJson(place, 'channel', 'set', bot, 'line', '--channel-secret', lineSecret);
  const { address } = await serve(place);
  const broken = '{"destination":"U1","events":"none"}';
  assert.equal((await deliver(address, { botId: bot, platform: 'line' }, broken)).status, 200);

  // npx shoal deliveries list BOT
  await becomes(async () => (await setAside(place, bot)).length, 1);
  const [delivery] = await setAside(place, bot);
  assert.equal(delivery?.state, 'set-aside');
  assert.match(String(delivery?.reason), /events/);

  // npx shoal deliveries show BOT NUMBER
  const number = String(delivery?.deliveryId);
  assert.equal((await shoal(place, 'deliveries', 'show', bot, number)).stdout, `${broken}\n`);

  // npx shoal deliveries replay BOT NUMBER: nothing has changed, so it is set aside again.
  assert.equal((await shoalJson(place, 'deliveries', 'replay', bot, number)).replayed, 1);
  await becomes(async () => (await setAside(place, bot)).length, 1);
  // All that are set aside at once; after that there is still nothing else to replay.
  assert.equal((await shoalJson(place, 'deliveries', 'replay', bot, '--all-set-aside')).replayed, 1);
});

test('a delivery that was counted changes nothing when it is replayed, and a recount finds the same figures', async (t) => {
  const place = await databasePlace(t);
  const pair = pairOf(await shoalJson(place, 'bot', 'create', '--name', 'Tea shop'));
  const { botId } = pair;
  await shoalJson(place, 'channel', 'set', botId, 'line', '--channel-secret', lineSecret);
  const { address } = await serve(place);
  const body = lineBody([
    { ...line, id: 'm1' },
    { ...line, id: 'm2', at: line.at + 60_000 },
  ]);
  assert.equal((await deliver(address, { botId, platform: 'line' }, body)).status, 200);
  const messages = async () =>
    Object((await call(`${address}/api/openapi/clients/analysis`, pair)).body.clientAnalysis)
      .lineMessageNumbers;
  await becomes(messages, 2);

  const { deliveries } = await shoalJson(place, 'deliveries', 'list', botId, '--state', 'folded');
  const [folded] = deliveries as { deliveryId: number }[];
  await shoalJson(place, 'deliveries', 'replay', botId, String(folded?.deliveryId));
  const pending = async () =>
    (await shoalJson(place, 'deliveries', 'list', botId, '--state', 'pending')).deliveries;
  await becomes(pending, []);
  assert.equal(await messages(), 2);

  // npx shoal recount BOT --check exits with 0 when every kept figure is what the events say.
  assert.equal((await shoal(place, 'recount', botId, '--check')).code, 0);
  assert.deepEqual((await shoalJson(place, 'recount', botId)).differences, []);
  assert.equal(await messages(), 2);
});

async function setAside(place: Place, botId: string): Promise<Record<string, unknown>[]> {
  const { deliveries } = await shoalJson(place, 'deliveries', 'list', botId);
  return deliveries as Record<string, unknown>[];
}
