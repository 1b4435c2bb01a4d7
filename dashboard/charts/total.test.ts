import assert from 'node:assert/strict';
import { test } from 'node:test';
import { totalAt } from './total.ts';

const stack = {
  kind: 'bars' as const,
  isGrouped: false,
  series: [{ values: [3, null] }, { values: [4, 5] }],
  totalTitle: 'Total',
  format: (value: number | null) => (value === null ? '–' : `${value}`),
};

test('the tooltip of stacked bars shows their total, unknown if a part is unknown', () => {
  assert.equal(totalAt(stack, 0), 'Total  7');
  assert.equal(totalAt(stack, 1), 'Total  –');
});

test('bars that do not add up, lines and a single series have no total', () => {
  assert.equal(totalAt({ ...stack, isGrouped: true }, 0), null);
  assert.equal(totalAt({ ...stack, kind: 'line' }, 0), null);
  assert.equal(totalAt({ ...stack, series: stack.series.slice(0, 1) }, 0), null);
});
