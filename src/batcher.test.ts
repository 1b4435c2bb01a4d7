import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promotedBytes } from '../tests/harness/promoted-bytes.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';

/** A batcher whose batches end when the test says so. An item's result is the item itself. */
function heldBatcher(options: Partial<BatcherOptions<string>>) {
  const batches: string[] = [];
  const ends: ((results?: readonly (string | Error)[]) => void)[] = [];
  const batcher = new Batcher<string, string>(
    (items) => {
      batches.push(items.join(''));
      const { promise, resolve } = Promise.withResolvers<readonly (string | Error)[]>();
      ends.push((results = items) => resolve(results));
      return promise;
    },
    { runsMax: 1, batchCountMax: 10, ...options },
  );
  return { batcher, batches, ends };
}

/** Resolves after the current turn of the event loop and the batches that begin in it. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 5));

test('items of one turn share a batch, and each caller gets its own result or error', async () => {
  const { batcher, batches, ends } = heldBatcher({});
  const results = Promise.allSettled([...'abc'].map((item) => batcher.put(item)));
  await turn();
  assert.deepEqual(batches, ['abc']);
  ends[0]?.(['A', new Error('refused'), 'C']);
  const [a, b, c] = await results;
  assert.deepEqual(
    [a, c],
    [
      { status: 'fulfilled', value: 'A' },
      { status: 'fulfilled', value: 'C' },
    ],
  );
  assert.match(String(b?.status === 'rejected' && b.reason), /refused/);
});

test('a batch is bounded by count and bytes, and an item above the bound is a batch of its own', async () => {
  const { batcher, batches, ends } = heldBatcher({
    batchCountMax: 3,
    batchBytesMax: 10,
    bytesOf: (item) => (item === 'L' ? 20 : item === 'm' ? 6 : 1),
  });
  const results = [...'abcdmmL'].map((item) => batcher.put(item));
  for (let batch = 0; batch < 4; batch += 1) {
    await turn();
    ends[batch]?.();
  }
  await Promise.all(results);
  assert.deepEqual(batches, ['abc', 'dm', 'm', 'L']);
});

test('an item beyond the bound of waiting items or bytes is refused', async () => {
  const { batcher, ends } = heldBatcher({
    waitingCountMax: 3,
    bytesMax: 10,
    bytesOf: (item) => (item === 'L' ? 9 : 1),
    refusal: (reason) => new Error(`refused: ${reason}`),
  });
  const results = [batcher.put('a'), batcher.put('b')];
  await assert.rejects(batcher.put('L'), /refused: full/);
  results.push(batcher.put('c'));
  await assert.rejects(batcher.put('d'), /refused: full/);
  await turn();
  ends[0]?.();
  await Promise.all(results);
  assert.equal(batcher.bytes, 0);
});

test('a slow batch makes room for another one, up to the bound of all', async () => {
  const { batcher, batches, ends } = heldBatcher({ slow: { afterMs: 1, runsMax: 2 } });
  const results = [batcher.put('a')];
  await turn();
  results.push(batcher.put('b'));
  while (batches.length < 2) await turn();
  results.push(batcher.put('c'));
  for (let round = 0; round < 5; round += 1) await turn();
  assert.deepEqual(batches, ['a', 'b']);
  for (const end of ends) end();
  while (batches.length < 3) await turn();
  ends[2]?.();
  await Promise.all(results);
});

test('a batch with fewer results than items fails for all of them', async () => {
  const { batcher, ends } = heldBatcher({});
  const result = assert.rejects(batcher.put('a'), /a batch of 1 items returned 0 results/);
  await turn();
  ends[0]?.([]);
  await result;
});

test('a batcher reports when it becomes idle, and draining waits for that', async () => {
  let idles = 0;
  const { batcher, ends } = heldBatcher({ batchCountMax: 1, idle: () => (idles += 1) });
  const results = [batcher.put('a'), batcher.put('b')];
  const drained = batcher.drain().then(() => idles);
  await turn();
  ends[0]?.();
  await turn();
  assert.equal(idles, 0);
  ends[1]?.();
  await Promise.all(results);
  assert.equal(await drained, 1);
});

test('items of ended batches do not survive collections of young objects', async () => {
  const batcher = new Batcher<number[], void>(
    async (items) => {
      await new Promise(setImmediate);
      return items.map(() => undefined);
    },
    { runsMax: 2, batchCountMax: 10, gathers: false },
  );
  const grown = await promotedBytes(40, async () => {
    const items = Array.from({ length: 40 }, () => Array.from({ length: 1_200 }, (_, index) => index));
    await Promise.all(items.map((item) => batcher.put(item)));
  });
  assert.ok(grown < 1_000_000, `${grown} bytes`);
});
