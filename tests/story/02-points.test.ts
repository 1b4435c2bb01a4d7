/**
 * Chapter 2: points.
 *
 * They are earned, spent and expire on the command line, and a program reads the available points through the MantaGo API.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databasePlace, serve, shoal, shoalJson } from '../harness/cli.ts';
import { lineUser } from '../harness/webhooks.ts';
import { becomes, call, pairOf } from './calls.ts';

const bases = ['/openapi', '/api/openapi'];

test('points are earned, spent, and worth nothing from their last moment on', async (t) => {
  const place = await databasePlace(t);
  const pair = pairOf(await shoalJson(place, 'bot', 'create', '--name', 'Tea shop'));
  const { address } = await serve(place);
  const contact = [pair.botId, 'line', lineUser('A')];

  // The shop's register gives 100 points to a customer unknown to LINE's webhooks so far. Its receipt is the key:
  // the register may say the same again.
  const earned = ['points', 'earn', ...contact, '100', '--key', 'receipt-1', '--create-contacts'];
  assert.deepEqual(changeOf(await shoalJson(place, ...earned)), {
    amount: 100,
    available: 100,
    repeated: false,
  });
  const askedAt = Date.now();
  assert.deepEqual(changeOf(await shoalJson(place, ...earned)), {
    amount: 100,
    available: 100,
    repeated: true,
  });

  // Another 50 are worth something for eight seconds; longer where two commands may take so long.
  const commandMs = Date.now() - askedAt;
  const expiresAt = new Date(Date.now() + Math.max(8_000, 5 * commandMs)).toISOString();
  await shoalJson(place, 'points', 'earn', ...contact, '50', '--expires-at', expiresAt);

  // Spending takes points that expire first: 20 of the 50, which leaves 100 + 30.
  await shoalJson(place, 'points', 'spend', ...contact, '20', '--key', 'receipt-2');

  // More than there is cannot be spent, not even in part.
  const refused = await shoal(place, 'points', 'spend', ...contact, '1000');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^shoal: .*available/);

  // POST /openapi/client/point, at both bases: after the 30 expired, 100 are left.
  const asked = { platform: 'line', platformClientIds: [lineUser('A')] };
  const points = (base: string) => call(`${address}${base}/client/point`, pair, asked);
  const hundred = [{ platform: 'line', platformClientId: lineUser('A'), points: 100 }];
  for (const base of bases) await becomes(async () => (await points(base)).body.points, hundred);

  // The history holds every change, and the audit proves the balance.
  const { available, entries } = await shoalJson(place, 'points', 'history', ...contact);
  assert.equal(available, 100);
  assert.ok(Array.isArray(entries));
  assert.equal((await shoalJson(place, 'points', 'audit', pair.botId)).right, true);
});

test('a contact can be asked for by the id that Shoal gave it; unknown ones are left out', async (t) => {
  const place = await databasePlace(t);
  const pair = pairOf(await shoalJson(place, 'bot', 'create', '--name', 'Tea shop'));
  const { address } = await serve(place);
  const contact = [pair.botId, 'whatsapp', '886912345678'];
  await shoalJson(place, 'points', 'earn', ...contact, '7', '--create-contacts');
  const { contactId } = await shoalJson(place, 'points', 'history', ...contact);

  for (const base of bases) {
    const url = `${address}${base}/client/point`;
    const { body } = await call(url, pair, { clientIds: [contactId, 'nobody'] });
    assert.deepEqual(body, {
      success: true,
      message: 'Get client points successfully',
      points: [{ platform: 'whatsapp', clientId: contactId, points: 7 }],
    });
    const nobody = await call(url, pair, { clientIds: ['nobody'] });
    assert.equal(nobody.status, 404);
    assert.deepEqual(Object(nobody.body.errResponse).code, 37011);
  }
});

function changeOf({ amount, available, repeated }: Record<string, unknown>): unknown {
  return { amount, available, repeated };
}
