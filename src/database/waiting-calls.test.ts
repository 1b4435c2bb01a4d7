import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promotedBytes } from '../../tests/harness/promoted-bytes.ts';
import { type WaitingCall, WaitingCalls } from './waiting-calls.ts';

test('a failure reaches each waiting call once, and no removed one', () => {
  const calls = new WaitingCalls();
  const failed: string[] = [];
  const add = (name: string): WaitingCall => {
    const call = calls.add(() => {
      failed.push(name);
      calls.remove(call);
    });
    return call;
  };
  const [first, second] = ['a', 'b', 'c', 'd'].map(add);
  assert.ok(first && second);
  calls.remove(first);
  calls.remove(first);
  calls.remove(second);
  calls.failAll(new Error('silent'));
  calls.failAll(new Error('silent'));
  assert.deepEqual(failed.sort(), ['c', 'd']);
  assert.equal(calls.count, 0);
});

test('calls that ended do not survive collections of young objects', async () => {
  const calls = new WaitingCalls();
  const waiting: WaitingCall[] = [];
  const grown = await promotedBytes(20, () => {
    for (let count = 0; count < 100; count += 1) {
      const request = Array.from({ length: 600 }, () => count);
      waiting.push(calls.add(() => request.length));
      if (waiting.length > 50) calls.remove(waiting.shift() as WaitingCall);
    }
  });
  assert.ok(grown < 1_000_000, `${grown} bytes`);
});
