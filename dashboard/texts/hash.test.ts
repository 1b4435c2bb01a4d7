import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexesOf } from './hash.ts';

test('a text always leads to the same numbers below the limits, and few of 1,000 texts share them', () => {
  const limits = [16, 24, 90] as const;
  const all = Array.from({ length: 1_000 }, (_, index) => indexesOf(`v_${index}`, limits));
  assert.deepEqual(indexesOf('v_7', limits), all[7]);
  for (const numbers of all)
    for (const [at, number] of numbers.entries()) assert.ok(number < (limits[at] ?? 0));
  const differing = new Set(all.map(String)).size;
  assert.ok(differing > 950, `${differing} of 1,000 differ`);
});
