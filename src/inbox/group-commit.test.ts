import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupCommit, NotStored } from './group-commit.ts';
import type { NewDelivery } from './inbox.ts';

function delivery(bytes: number): NewDelivery {
  return { botId: 'bot', platform: 'line', source: 'webhook', body: new Uint8Array(bytes), receivedAt: 0 };
}

/** A store whose commits end when the test says so. */
function heldStore() {
  const batches: NewDelivery[][] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const store = (deliveries: NewDelivery[]): Promise<void> => {
    batches.push(deliveries);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    ends.push({ resolve, reject });
    return promise;
  };
  return { batches, ends, store };
}

/** Waits a few ms, and for the callbacks of the turn before. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 5));

test('deliveries that arrive during a commit share the next one, and only many of them begin a second commit', async () => {
  const { batches, ends, store } = heldStore();
  const inbox = groupCommit(store, { bytesMax: 1_000 });
  const puts: Promise<void>[] = [];
  const arrive = (count: number) => {
    for (let index = 0; index < count; index += 1) puts.push(inbox.put(delivery(1)));
    return new Promise(setImmediate);
  };
  const sizes = () => batches.map(({ length }) => length);
  await arrive(2);
  await arrive(31);
  assert.deepEqual(sizes(), [2]);
  await arrive(1);
  await arrive(40);
  assert.deepEqual(sizes(), [2, 32]);
  ends[0]?.resolve();
  await puts[0];
  await turn();
  assert.deepEqual(sizes(), [2, 32, 40]);
  for (const { resolve } of ends) resolve();
  await Promise.all(puts);
  await inbox.drain();
});

test('a few deliveries begin a second commit when the first one is slow', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { batches, ends, store } = heldStore();
  const inbox = groupCommit(store, { bytesMax: 1_000 });
  const puts = [inbox.put(delivery(1))];
  await new Promise(setImmediate);
  puts.push(inbox.put(delivery(1)));
  await new Promise(setImmediate);
  assert.equal(batches.length, 1);
  t.mock.timers.tick(50);
  await new Promise(setImmediate);
  assert.equal(batches.length, 2);
  for (const { resolve } of ends) resolve();
  await Promise.all(puts);
  await inbox.drain();
});

test('no delivery is answered before its commit, and a failed commit fails all its deliveries', async () => {
  const { ends, store } = heldStore();
  const inbox = groupCommit(store, { bytesMax: 1_000 });
  let answered = 0;
  const both = [inbox.put(delivery(1)), inbox.put(delivery(1))].map((put) =>
    put.then(
      () => {
        answered += 1;
        return null;
      },
      (error: unknown) => {
        answered += 1;
        return error;
      },
    ),
  );
  await turn();
  assert.equal(answered, 0);
  ends[0]?.reject(new Error('the database has gone'));
  for (const outcome of await Promise.all(both)) assert.ok(outcome instanceof NotStored);
  const next = inbox.put(delivery(1));
  await turn();
  ends[1]?.resolve();
  await next;
  await inbox.drain();
});

test('past the bound on waiting bytes a delivery is refused, and room is made by commits', async () => {
  const { ends, store } = heldStore();
  const inbox = groupCommit(store, { bytesMax: 100 });
  const kept = inbox.put(delivery(60));
  await assert.rejects(inbox.put(delivery(41)), NotStored);
  assert.equal(inbox.bytes, 60);
  await turn();
  ends[0]?.resolve();
  await kept;
  await turn();
  assert.equal(inbox.bytes, 0);
  const next = inbox.put(delivery(100));
  await turn();
  ends[1]?.resolve();
  await next;
  await inbox.drain();
});

test('a delivery whose commit does not come in time is refused and leaves the memory', async () => {
  const { ends, store } = heldStore();
  let now = 0;
  const inbox = groupCommit(store, { bytesMax: 1_000, monotonicMs: () => now });
  const underway = [inbox.put(delivery(10))];
  await turn();
  underway.push(inbox.put(delivery(20)));
  // The first commit becomes slow.
  while (ends.length < 2) await turn();
  const waiting = inbox.put(delivery(40));
  now = 5_000;
  for (const put of [...underway, waiting]) await assert.rejects(put, NotStored);
  assert.equal(inbox.bytes, 30);
  for (const { resolve } of ends) resolve();
  await inbox.drain();
  assert.equal(inbox.bytes, 0);
});
