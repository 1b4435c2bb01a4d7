import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createWorld } from '../../simulator/world.ts';
import type { Context } from './context.ts';
import { goLive, type Stage } from './demo-live.ts';

test('live traffic continues after a refused message of a simulated visitor, and logs the refusal once', async (t) => {
  const webhooks = createServer((request, response) => void request.resume().on('end', () => response.end()));
  await new Promise<void>((resolve) => webhooks.listen(0, '127.0.0.1', resolve));
  t.after(() => webhooks.close());
  const { port } = webhooks.address() as AddressInfo;
  const end = new AbortController();
  const logged: string[] = [];
  let attempts = 0;
  const refuse = async () => {
    attempts += 1;
    // Six refusals need 24 events at most.
    if (attempts === 6) end.abort();
    throw new Error('/messages answered 403: This visitor is blocked.');
  };
  const context: Context = {
    config: () => assert.fail(),
    keys: () => assert.fail(),
    startServer: () => assert.fail(),
    withDatabase: () => assert.fail(),
    clock: Date.now,
    random: (count) => new Uint8Array(count).fill(7),
    out() {},
    log: (text) => void logged.push(text),
  };
  const key = { accountId: '1', secret: 'secret' };
  const stage: Stage = {
    context,
    address: `http://127.0.0.1:${port}`,
    credentials: { botId: 'bot', apiToken: '', apiSecret: '' },
    channels: { line: key, facebook: key, instagram: key, whatsapp: key },
  };
  await goLive(stage, {
    world: createWorld({ seed: 1, until: Date.now(), people: 10, days: 2 }),
    chat: { write: refuse, answer: refuse, events: async () => [] },
    folder: { addLiveEvent: async () => undefined },
    signal: end.signal,
  });
  assert.equal(attempts, 6);
  const refusals = logged.filter((text) => text.startsWith('Refused'));
  assert.deepEqual(refusals, [
    'Refused; live traffic continues: /messages answered 403: This visitor is blocked.',
  ]);
});
