import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCommit, NotStored } from './group-commit.ts';
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

/** A few ms, and whatever was to be done in the turn before. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 5));

test('what arrives during a commit shares the next one', async () => {
  const { batches, ends, store } = heldStore();
  const inbox = new GroupCommit(store, { bytesMax: 1_000 });
  const first = inbox.put(delivery(1));
  await turn();
  const later = [inbox.put(delivery(1)), inbox.put(delivery(1)), inbox.put(delivery(1))];
  await turn();
  assert.deepEqual(
    batches.map(({ length }) => length),
    [1],
  );
  ends[0]?.resolve();
  await first;
  // The next commit waits a moment for more.
  while (batches.length < 2) await turn();
  assert.deepEqual(
    batches.map(({ length }) => length),
    [1, 3],
  );
  ends[1]?.resolve();
  await Promise.all(later);
  await inbox.drain();
});

test('nobody is answered before the commit, and a failed commit fails all that shared it', async () => {
  const { ends, store } = heldStore();
  const inbox = new GroupCommit(store, { bytesMax: 1_000 });
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
  const inbox = new GroupCommit(store, { bytesMax: 100 });
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
  const inbox = new GroupCommit(store, { bytesMax: 1_000, monotonicMs: () => now });
  const underway = inbox.put(delivery(10));
  await turn();
  const waiting = inbox.put(delivery(20));
  now = 5_000;
  await assert.rejects(underway, NotStored);
  await assert.rejects(waiting, NotStored);
  assert.equal(inbox.bytes, 10);
  ends[0]?.resolve();
  await inbox.drain();
  assert.equal(inbox.bytes, 0);
});
