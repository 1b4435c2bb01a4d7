import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Batch } from './batch.ts';
import { type Group, ReadAhead } from './read-ahead.ts';

/** A batch with further deliveries of the bots. */
function batchWith(...more: string[]): Batch {
  return { bots: [], chunks: [], more };
}

/** Read-ahead whose reads end when the test ends them. */
function fakeReads(): { ahead: ReadAhead; endReads(): Promise<void> } {
  const reads: (() => void)[] = [];
  const read = (botIds: readonly string[]): Group => {
    const { promise, resolve } = Promise.withResolvers<Batch>();
    reads.push(() => resolve(batchWith()));
    return { botIds, reading: promise };
  };
  const endReads = async () => {
    for (const end of reads.splice(0)) end();
    await nextTurn();
  };
  return { ahead: new ReadAhead(read), endReads };
}

test('slots that read ahead at the same time share one bound', () => {
  const { ahead } = fakeReads();
  const first = ahead.begin(batchWith('a', 'b', 'c'));
  const second = ahead.begin(batchWith('d', 'e', 'f'));
  assert.deepEqual(
    [first, second].map((groups) => groups.map(({ botIds }) => botIds)),
    [[['a'], ['b'], ['c']], [['d', 'e', 'f']]],
  );
  assert.deepEqual(ahead.begin(batchWith('g')), []);
  // Neither the queue nor the order of the slots changes the bound.
  ahead.add(second);
  ahead.add(first);
  assert.deepEqual(ahead.begin(batchWith('g')), []);
});

test('a group gives its room back when its turn comes', () => {
  const { ahead } = fakeReads();
  const groups = ahead.begin(batchWith('a', 'b', 'c', 'd'));
  ahead.add(groups);
  assert.equal(ahead.take(), groups[0]);
  assert.deepEqual(
    ahead.begin(batchWith('e')).map(({ botIds }) => botIds),
    [['e']],
  );
  assert.deepEqual(ahead.begin(batchWith('f')), []);
});

test('a dropped group gives its room back when it is read', async () => {
  const { ahead, endReads } = fakeReads();
  ahead.drop(ahead.begin(batchWith('a', 'b', 'c', 'd')));
  assert.ok(ahead.isEmpty);
  assert.deepEqual(ahead.begin(batchWith('e')), []);
  await endReads();
  assert.equal(ahead.begin(batchWith('e')).length, 1);
});

test('a read that fails gives the room of its dropped group back', async () => {
  const ahead = new ReadAhead((botIds) => ({ botIds, reading: Promise.reject(new Error('no connection')) }));
  ahead.drop(ahead.begin(batchWith('a', 'b', 'c', 'd')));
  await nextTurn();
  assert.equal(ahead.begin(batchWith('e', 'f', 'g', 'h')).length, 4);
  await ahead.settled();
});
