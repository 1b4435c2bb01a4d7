/**
 * People of LINE from the simulator to the management API: their names and pictures as LINE has them, and a person without a profile is
 * not asked about again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { hourMs } from '../src/time.ts';
import { lineClient, testLineSimulator } from './harness/line-simulator.ts';
import { testServer } from './harness/server.ts';

const waitMsMax = 60_000;
const names = {
  emoji: '👩‍👩‍👧‍👦 Lin 🌸',
  rightToLeft: 'שרה כהן',
  long: '字'.repeat(500),
  tooLong: '字'.repeat(501),
};

test('names, pictures and missing profiles of people on LINE reach the API, also after LINE’s tokens have expired', async (t) => {
  let laterMs = 0;
  const simulator = await testLineSimulator(t, { clock: () => Date.now() + laterMs, people: 0 });
  const server = await testServer(t, { lineApi: simulator.address, collect: 'on' });
  const { destination, channelId, channelSecret: secret } = simulator.credentials;
  const { botId } = await server.addBot();
  await server.addChannel(botId, { platform: 'line', accountId: destination, channelId, secret });
  await lineClient(simulator).setWebhookEndpoint({ endpoint: `${server.address}/webhooks/${botId}/line` });
  const token = await server.addToken('read');
  const get = (path: string) =>
    fetch(`${server.address}/api/v1/bots/${botId}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const follow = async (displayName: string) => {
    const { userId } = await simulator.control.act({ action: 'follow' });
    const pictureUrl = `${simulator.address}/pictures/${userId}.png`;
    simulator.control.changeProfile(userId, { displayName, pictureUrl, statusMessage: 'مرحبا' });
    return userId;
  };
  const contacts = async () => {
    const { contacts: found } = (await (await get('/contacts')).json()) as { contacts: Contact[] };
    return new Map(found.map((contact) => [contact.platformContactId, contact]));
  };
  const named = async (userId: string) => {
    const endsAt = performance.now() + waitMsMax;
    for (;;) {
      const contact = (await contacts()).get(userId);
      if (contact?.name) return contact;
      assert.ok(performance.now() < endsAt, 'the profile was not read in time');
      await pause(50);
    }
  };
  const profileCalls = (userId: string) =>
    simulator.control.calls.filter(({ path }) => path === `/v2/bot/profile/${userId}`).length;

  const { userId: deleted } = await simulator.control.act({ action: 'follow' });
  simulator.control.fail({ kind: 'error', path: `/v2/bot/profile/${deleted}`, status: 404, count: 100 });
  for (const name of Object.values(names)) {
    const contact = await named(await follow(name));
    assert.equal(contact.name, [...name].slice(0, 500).join(''));
    assert.equal(contact.statusMessage, 'مرحبا');
    const picture = await get(`/contacts/${contact.contactId}/picture`);
    assert.deepEqual([picture.status, picture.headers.get('content-type')], [200, 'image/png']);
    const own = await fetch(contact.pictureUrl ?? '');
    assert.deepEqual(await picture.bytes(), await own.bytes());
  }
  laterMs = hourMs;
  await named(await follow('after the expiry of the token'));
  assert.equal(profileCalls(deleted), 1, 'LINE’s 404 is remembered');
  assert.equal((await contacts()).get(deleted)?.name, null);
});

type Contact = {
  contactId: string;
  platformContactId: string;
  name: string | null;
  statusMessage: string | null;
  pictureUrl: string | null;
};
