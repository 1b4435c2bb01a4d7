/**
 * Limits by address behind a proxy: one caller counts as one, with any port and any address of its IPv6 network.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testServer } from './harness/server.ts';

const oneCaller = [
  ['203.0.113.7:51234', '203.0.113.7:51235', '203.0.113.7', '[::ffff:203.0.113.7]:9'],
  ['[2001:db8:1:2::1]:443', '2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '[2001:db8:1:2::9]:1'],
];
const others = ['203.0.113.8:51234', '[2001:db8:1:3::1]:443'];
const widgetKey = 'K'.repeat(32);

test('live chat counts calls by the address without the port, and IPv6 by the first 64 bits', async (t) => {
  const server = await testServer(
    t,
    { chatAddressLimit: 3 },
    { clock: () => Date.parse('2026-03-01T00:00:00Z') },
  );
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'liveChat', secret: widgetKey });
  const call = async (from: string) =>
    (
      await fetch(`${server.address}/live-chat/v1/${widgetKey}/messages`, {
        headers: { 'x-forwarded-for': from },
      })
    ).status;
  for (const addresses of oneCaller) {
    const statuses: number[] = [];
    for (const from of addresses) statuses.push(await call(from));
    assert.deepEqual(statuses, [401, 401, 401, 429], addresses.join(' '));
  }
  for (const from of others) assert.equal(await call(from), 401, from);
});

test('sign-in attempts count by the same rule', async (t) => {
  const server = await testServer(t, {}, { clock: () => Date.parse('2026-03-01T00:00:00Z') });
  const attempt = async (from: string) =>
    (
      await fetch(`${server.address}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
        body: JSON.stringify({ token: `shoal_admin_${'A'.repeat(43)}` }),
      })
    ).status;
  for (const addresses of oneCaller) {
    let statuses: number[] = [];
    for (let turn = 0; turn < 24; turn += 1) statuses.push(await attempt(addresses[turn % 4] ?? ''));
    statuses = [...new Set(statuses)];
    assert.deepEqual(statuses, [401, 429], addresses.join(' '));
  }
  for (const from of others) assert.equal(await attempt(from), 401, from);
});

test('an address claimed by a caller that is not a trusted proxy is ignored', async (t) => {
  const server = await testServer(t, { chatAddressLimit: 1, trustedProxies: 'none' });
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'liveChat', secret: widgetKey });
  const call = async (from: string) =>
    (
      await fetch(`${server.address}/live-chat/v1/${widgetKey}/messages`, {
        headers: { 'x-forwarded-for': from },
      })
    ).status;
  assert.deepEqual([await call('203.0.113.7'), await call('203.0.113.8')], [401, 429]);
});
