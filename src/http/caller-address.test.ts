import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, callerNetwork } from './caller-address.ts';

test('the caller of a connection that has closed has an empty address', () => {
  const closed = { ip: undefined as unknown as string };
  assert.deepEqual([addressOf(closed), callerNetwork(closed)], ['', '']);
});
