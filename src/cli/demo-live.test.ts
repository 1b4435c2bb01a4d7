import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../../simulator/world.ts';
import type { Context } from './context.ts';
import { goLive, type Stage } from './demo-live.ts';

test('live traffic continues after a refused message of a simulated visitor, and logs the refusal once', async () => {
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
  const stage: Stage = {
    context,
    address: 'http://127.0.0.1:1',
    credentials: { botId: 'bot', apiToken: '', apiSecret: '' },
  };
  await goLive(stage, {
    people: [],
    world: createWorld({ seed: 1, until: Date.now(), people: 10, days: 2 }),
    chat: { write: refuse, answer: refuse, events: async () => [] },
    folder: { addLiveEvent: async () => undefined },
    deliver: async () => undefined,
    readPeople: async () => undefined,
    signal: end.signal,
  });
  assert.equal(attempts, 6);
  const refusals = logged.filter((text) => text.startsWith('Refused'));
  assert.deepEqual(refusals, [
    'Refused; live traffic continues: /messages answered 403: This visitor is blocked.',
  ]);
});
