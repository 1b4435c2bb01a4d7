/**
 * Chapter 2: points.
 *
 * Commands add and spend points, points expire, and a program reads the balance through the MantaGo API.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseEnvironment, serve, shoal, shoalJson } from '../harness/cli.ts';
import { lineUser } from '../harness/webhooks.ts';
import { becomes, call, pairOf } from './calls.ts';

const bases = ['/openapi', '/api/openapi'];

test('points are earned, spent, and unavailable from the moment they expire', async (t) => {
  const environment = await databaseEnvironment(t);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { address } = await serve(environment);
  const contact = [pair.botId, 'line', lineUser('A')];

  // The shop's register gives 100 points to a customer without any LINE event. The receipt number is the idempotency key,
  // so the register can repeat the command.
  const earned = ['points', 'earn', ...contact, '100', '--key', 'receipt-1', '--create-contacts'];
  assert.deepEqual(changeOf(await shoalJson(environment, ...earned)), {
    amount: 100,
    available: 100,
    repeated: false,
  });
  const askedAt = Date.now();
  assert.deepEqual(changeOf(await shoalJson(environment, ...earned)), {
    amount: 100,
    available: 100,
    repeated: true,
  });

  // Another 50 expire after eight seconds, or later on a slow machine where two commands take longer.
  const commandMs = Date.now() - askedAt;
  const expiresAt = new Date(Date.now() + Math.max(8_000, 5 * commandMs)).toISOString();
  await shoalJson(environment, 'points', 'earn', ...contact, '50', '--expires-at', expiresAt);

  // Spending uses the points that expire first: 20 of the 50, which leaves 100 + 30.
  await shoalJson(environment, 'points', 'spend', ...contact, '20', '--key', 'receipt-2');

  // Spending more than the balance fails and spends nothing.
  const refused = await shoal(environment, 'points', 'spend', ...contact, '1000');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^shoal: .*available/);

  // POST /openapi/client/point, at both base paths: once the 30 have expired, 100 remain.
  const requestedIds = { platform: 'line', platformClientIds: [lineUser('A')] };
  const points = (base: string) => call(`${address}${base}/client/point`, pair, requestedIds);
  const hundred = [{ platform: 'line', platformClientId: lineUser('A'), points: 100 }];
  for (const base of bases) await becomes(async () => (await points(base)).body.points, hundred);

  // The history contains every change, and the audit verifies the balance.
  const { available, entries } = await shoalJson(environment, 'points', 'history', ...contact);
  assert.equal(available, 100);
  assert.ok(Array.isArray(entries));
  assert.equal((await shoalJson(environment, 'points', 'audit', pair.botId)).right, true);
});

test('points can be requested by Shoal’s contact id, and unknown ids are omitted', async (t) => {
  const environment = await databaseEnvironment(t);
  const pair = pairOf(await shoalJson(environment, 'bot', 'create', '--name', 'Tea shop'));
  const { address } = await serve(environment);
  const contact = [pair.botId, 'whatsapp', '886912345678'];
  await shoalJson(environment, 'points', 'earn', ...contact, '7', '--create-contacts');
  const { contactId } = await shoalJson(environment, 'points', 'history', ...contact);

  for (const base of bases) {
    const url = `${address}${base}/client/point`;
    const { body } = await call(url, pair, { clientIds: [contactId, 'unknown'] });
    assert.deepEqual(body, {
      success: true,
      message: 'Get client points successfully',
      points: [{ platform: 'whatsapp', clientId: contactId, points: 7 }],
    });
    const unknownContact = await call(url, pair, { clientIds: ['unknown'] });
    assert.equal(unknownContact.status, 404);
    assert.deepEqual(Object(unknownContact.body.errResponse).code, 37011);
  }
});

function changeOf({ amount, available, repeated }: Record<string, unknown>): unknown {
  return { amount, available, repeated };
}
