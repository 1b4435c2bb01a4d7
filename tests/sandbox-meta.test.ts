/**
 * The Meta simulator and Shoal together: Shoal's counts equal the simulator's truth about delivered webhooks, despite disturbances.
 * Also the commands `shoal sandbox meta` and `shoal sandbox all`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callMantago } from '../simulator/mantago-client.ts';
import { graph, testMetaSimulator } from './harness/meta-simulator.ts';
import { testServer } from './harness/server.ts';

const program = fileURLToPath(new URL('../bin/shoal.js', import.meta.url));
const objects = { facebook: 'page', instagram: 'instagram', whatsapp: 'whatsapp_business_account' } as const;

test('Shoal counts the webhooks of a page, an Instagram account and a number exactly, despite disturbances', async (t) => {
  const server = await testServer(t);
  const simulator = await testMetaSimulator(t, { people: 40, pastDays: 10 });
  const { credentials, control } = simulator;
  const { appId, appSecret, verifyToken, pageId, instagramId, phoneNumberId } = credentials;
  const bot = await server.addBot();
  const accounts = { facebook: pageId, instagram: instagramId, whatsapp: phoneNumberId };
  for (const platform of ['facebook', 'instagram', 'whatsapp'] as const) {
    const channel = { accountId: accounts[platform], secret: appSecret, verifyToken };
    await server.addChannel(bot.botId, { platform, ...channel });
    const callback_url = `${server.address}/webhooks/${bot.botId}/${platform}`;
    const subscription = { object: objects[platform], callback_url, verify_token: verifyToken };
    const token = `${appId}|${appSecret}`;
    const refused = await graph(simulator, `/${appId}/subscriptions`, {
      ...{ token, body: { ...subscription, verify_token: 'wrong' } },
    });
    assert.equal(refused.status, 400, 'the handshake needs the right token');
    const accepted = await graph(simulator, `/${appId}/subscriptions`, { token, body: subscription });
    assert.equal(accepted.body.success, true);
  }
  control.set({ webhook: { batchMax: 8, repeatShare: 0.4, lateMinutesMax: 240 } });
  await control.run({ days: 4, stepMinutes: 60 });
  control.set({ webhook: { lateMinutesMax: 0 } });
  await control.run({ hours: 5 });
  const { personId } = await control.act({ platform: 'facebook', action: 'write' });
  await graph(simulator, `/${pageId}/messages`, {
    token: credentials.accessTokens.page,
    body: { recipient: { id: personId }, message: { text: 'Hello' } },
  });
  await graph(simulator, `/${phoneNumberId}/messages`, {
    token: credentials.accessTokens.whatsapp,
    body: {
      messaging_product: 'whatsapp',
      to: '886912345678',
      type: 'template',
      template: { name: 'pickup' },
    },
  });
  await server.folded();
  const { delivered } = control.truth();
  const { clientAnalysis } = await callMantago(server.address, 'clients/analysis', bot, {});
  const counted = Object(clientAnalysis);
  for (const [name, { followers, messagesIn, messagesOut }] of [
    ['fb', delivered.facebook],
    ['ig', delivered.instagram],
    ['whatsapp', delivered.whatsapp],
  ] as const) {
    assert.equal(counted[`${name}Followers`], followers, name);
    assert.equal(counted[`${name}MessageNumbers`], messagesIn + messagesOut, name);
    assert.ok(followers > 3 && messagesOut > 0, name);
  }
});

test('shoal sandbox all prints how to connect every channel, serves both simulators, and stops on a signal', async (t) => {
  const args = [
    'sandbox',
    'all',
    '--line-port',
    '0',
    '--meta-port',
    '0',
    '--people',
    '5',
    '--past-days',
    '3',
  ];
  const child = spawn(process.execPath, [program, ...args, '--still', '--begin', '2026-03-18']);
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  for await (const part of child.stdout) {
    out += part;
    if (out.split('/sandbox/truth').length === 3) break;
  }
  const addresses = [...out.matchAll(/listens on (http:\S+):/g)].map(([, address]) => address);
  assert.equal(addresses.length, 2);
  for (const platform of ['line', 'facebook', 'instagram', 'whatsapp'])
    assert.match(out, new RegExp(`channel set BOT ${platform} `));
  const [, meta] = addresses;
  const run = await fetch(`${meta}/sandbox/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"hours":24}',
  });
  assert.deepEqual(await run.json(), { now: '2026-03-19T00:00:00.000Z' });
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'close'), [0, null]);
});
