import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundedCache } from './bounded-cache.ts';

test('a full cache drops the least recently used entry', () => {
  const cache = boundedCache<string, number>(3);
  for (const [index, name] of ['a', 'b', 'c'].entries()) cache.set(name, index);
  assert.equal(cache.get('a'), 0);
  cache.set('d', 3);
  cache.set('d', 4);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => cache.get(name)),
    [0, undefined, 2, 4],
  );
  assert.equal(cache.size, 3);
});

test('empty caches take little memory, whatever their bound', () => {
  const before = process.memoryUsage();
  const caches = Array.from({ length: 100 }, () => boundedCache<string, number>(100_000));
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(grown < 2_000_000, `${caches.length} caches take ${grown} bytes`);
});
