/** The whole path: a callback set by MantaGo's call, a platform's delivery, the webhook, and the metrics. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { rotateSecret } from '../src/webhooks-out/endpoints.ts';
import { receiver, status } from './harness/receiver.ts';
import { testServer } from './harness/server.ts';
import { until } from './harness/until.ts';
import { deliver, lineBody, lineDestination, lineSecret, lineUser } from './harness/webhooks.ts';

test("a follow from LINE is sent to the address that MantaGo's call set, and counted in the metrics", async (t) => {
  const shop = await receiver(t);
  const { address, sql, keys, addBot, addChannel, folded } = await testServer(t, { callbackPrivate: true });
  const { botId, apiToken, apiSecret } = await addBot();
  await addChannel(botId, { platform: 'line', secret: lineSecret, accountId: lineDestination });
  const query = new URLSearchParams({ botId, customerCallbackUrl: shop.url });
  const answer = await fetch(`${address}/api/openapi/set/callback?${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ secret: apiSecret, callback: shop.url }),
  });
  assert.equal(answer.status, 200, await answer.text());
  const making = { now: Date.now(), random: randomBytes, keys };
  const { secret } = await rotateSecret(sql, { botId, retire: true }, making);

  const at = Date.now() - 60_000;
  const send = async (type: 'follow' | 'unfollow', id: string) => {
    const { status } = await deliver(
      address,
      { botId, platform: 'line' },
      lineBody([{ type, id, user: 'A', at }]),
    );
    assert.equal(status, 200);
    await folded();
  };
  const count = async (name: string) => {
    const text = await (await fetch(`${address}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  await send('follow', 'one');
  await until(async () => (await count('shoal_notice_attempts_total{outcome="told"}')) === 1);
  const [webhook] = shop.received;
  assert.ok(webhook && shop.received.length === 1);
  new Webhook(secret).verify(webhook.body, webhook.headers);
  assert.deepEqual([webhook.type, webhook.data.platformContactId], ['contact.followed', lineUser('A')]);
  assert.deepEqual(
    [await count('shoal_notices_waiting'), await count('shoal_notices_oldest_seconds')],
    [0, 0],
  );

  shop.answer = status(500);
  await send('unfollow', 'two');
  await until(async () => (await count('shoal_notice_attempts_total{outcome="again"}')) === 1);
  assert.equal(await count('shoal_notices_waiting'), 1);
  assert.ok((await count('shoal_notices_oldest_seconds')) > 0);
});
