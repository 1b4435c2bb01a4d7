import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instagramSender, messengerSender } from './meta-senders.ts';

test('a token of Instagram Login sends on the host of Instagram, other tokens on that of Facebook', async () => {
  const calls: string[] = [];
  const hostNamed = (name: string) => ({
    async post(path: string) {
      calls.push(`${name}${path}`);
      return { status: 200, headers: {}, body: { message_id: 'm' } };
    },
  });
  const hosts = { facebook: hostNamed('facebook'), instagram: hostNamed('instagram') };
  const call = { recipients: [{ id: '1' }], message: { text: 'Hi', quickReplies: [], tag: null } } as never;
  for (const [sender, accessToken] of [
    [instagramSender(hosts), 'IGtoken'],
    [instagramSender(hosts), 'EAAtoken'],
    [messengerSender(hosts), 'EAAtoken'],
  ] as const) {
    const { kind } = await sender.send({ accessToken, accountId: '17' } as never, call);
    assert.equal(kind, 'accepted');
  }
  const path = '/v24.0/17/messages';
  assert.deepEqual(calls, [`instagram${path}`, `facebook${path}`, `facebook${path}`]);
});
