import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenCalls } from './token-calls.ts';

test('calls about tokens are limited for an address, in all, and at the same time', () => {
  const startedOf = (calls: TokenCalls, addresses: string[]) => {
    const ends: (() => void)[] = [];
    for (const address of addresses) {
      try {
        ends.push(calls.start(address, 0));
      } catch (error) {
        assert.equal(Object(error).code, 'RATE_LIMITED');
      }
    }
    return ends;
  };
  const addresses = Array.from({ length: 2_000 }, (_, index) => `address ${index}`);
  const calls = new TokenCalls();
  const running = startedOf(calls, addresses.slice(0, 40));
  assert.equal(running.length, 16);
  for (const end of running) end();
  const countOf = (each: TokenCalls, callers: string[]) =>
    callers.filter((address) => startedOf(each, [address]).map((end) => end()).length === 1).length;
  assert.equal(countOf(calls, addresses), 1_200 - 16);
  assert.equal(countOf(new TokenCalls(), Array(130).fill('one')), 120);
});
