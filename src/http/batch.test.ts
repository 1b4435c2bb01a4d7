/**
 * Batch-loaded reads: the keys of each read, and the value of each key. Memoized reads.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchLoaded, memoized } from './batch.ts';

/** Reads that end on command. The value of a key is the key and the number of its read. */
function controlled(limits: { runsMax: number; countMax: number }) {
  const running: { keys: readonly string[]; end(error?: Error): void }[] = [];
  const read = batchLoaded<string, string>((keys) => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    const number = running.length + 1;
    const end = (error?: Error) => (error ? reject(error) : resolve(keys.map((key) => `${key}${number}`)));
    running.push({ keys, end });
    return promise;
  }, limits);
  return { read, running, keys: () => running.map(({ keys }) => keys.join('')) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('keys that arrive while a read is running share the next read', async () => {
  const { read, running, keys } = controlled({ runsMax: 1, countMax: 10 });
  const values = ['a', 'b', 'c', 'b'].map(read);
  assert.deepEqual(keys(), ['a']);
  running[0]?.end();
  await settled();
  assert.deepEqual(keys(), ['a', 'bcb']);
  running[1]?.end();
  assert.deepEqual(await Promise.all(values), ['a1', 'b2', 'c2', 'b2']);
});

test('the limits bound the concurrent reads and the keys of each', async () => {
  const { read, running, keys } = controlled({ runsMax: 2, countMax: 2 });
  const values = [...'abcdefg'].map(read);
  assert.deepEqual(keys(), ['a', 'b']);
  running[1]?.end();
  await settled();
  assert.deepEqual(keys(), ['a', 'b', 'cd']);
  for (const place of [0, 2]) running[place]?.end();
  await settled();
  assert.deepEqual(keys(), ['a', 'b', 'cd', 'ef', 'g']);
  for (const place of [3, 4]) running[place]?.end();
  assert.deepEqual(await Promise.all(values), ['a1', 'b2', 'c3', 'd3', 'e4', 'f4', 'g5']);
});

test('a failed read fails for its own keys only, and later keys get a new read', async () => {
  const { read, running } = controlled({ runsMax: 1, countMax: 10 });
  const values = ['a', 'b'].map(read);
  running[0]?.end(new Error('away'));
  const failed = assert.rejects(Promise.resolve(values[0]), /away/);
  await settled();
  running[1]?.end();
  await failed;
  assert.equal(await values[1], 'b2');
  const next = read('c');
  running[2]?.end();
  assert.equal(await next, 'c3');
});

test('a read that gives fewer values than it was given keys fails for the keys without one', async () => {
  const read = batchLoaded<string, string>(async () => [], { runsMax: 1, countMax: 10 });
  await assert.rejects(read('a'), /a batch of 1 items returned 0 results/);
});

test('a value is cached for a while, but no failure and no null', async () => {
  let reads = 0;
  const read = async (key: string) => {
    reads += 1;
    if (key === 'broken') throw new Error('away');
    return key === 'nothing' ? null : { reads };
  };
  const find = memoized(read, { nameOf: String, msOf: () => 40 });
  assert.deepEqual(
    [await find('a'), await find('a'), await find('b')],
    [{ reads: 1 }, { reads: 1 }, { reads: 2 }],
  );
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(await find('a'), { reads: 3 });
  assert.deepEqual([await find('nothing'), await find('nothing'), reads], [null, null, 5]);
  await assert.rejects(find('broken'));
  await assert.rejects(find('broken'));
  assert.equal(reads, 7);
  const look = memoized(read, { nameOf: String, msOf: () => 0 });
  assert.notDeepEqual(await look('c'), await look('c'));
  const keep = memoized(read, { nameOf: String, msOf: () => Number.POSITIVE_INFINITY });
  assert.equal(await keep('d'), await keep('d'));
});

test('a read that hangs makes room for another one', async () => {
  const read = (keys: readonly string[]) =>
    keys.includes('hangs') ? new Promise<never>(() => undefined) : Promise.resolve(keys);
  const load = batchLoaded(read, { runsMax: 1, slow: { afterMs: 1, runsMax: 2 }, countMax: 10 });
  void load('hangs');
  assert.equal(await load('a'), 'a');
});
