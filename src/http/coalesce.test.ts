/**
 * Coalesced reads: their callers, and that no read is older than the call it answers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { coalesced } from './coalesce.ts';

/** Reads that end on command. The value of each is the number of its start. */
function controlled(gather: () => Promise<void> = nextTurn) {
  const running: { key: string; end: (error?: Error) => void }[] = [];
  let started = 0;
  const read = coalesced((key) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    started += 1;
    const number = started;
    running.push({ key, end: (error) => (error ? reject(error) : resolve(number)) });
    return promise;
  }, gather);
  return { read, running, started: () => started };
}

/** After two turns of the event loop: the next read starts one turn after the end of the running one. */
const settled = async () => {
  for (let turn = 0; turn < 2; turn += 1) await nextTurn();
};

test('callers that arrive while a read is running share the next one', async () => {
  const { read, running } = controlled();
  const first = read('a');
  const others = [read('a'), read('a'), read('a')];
  assert.equal(running.length, 1);
  running[0]?.end();
  assert.equal(await first, 1);
  await settled();
  assert.equal(running.length, 2);
  running[1]?.end();
  assert.deepEqual(await Promise.all(others), [2, 2, 2]);
});

test('callers that arrive while the callers of a read are answered share the next read', async () => {
  const { read, running } = controlled();
  const [first, second] = [read('a'), read('a')];
  running[0]?.end();
  assert.equal(await first, 1);
  const third = read('a');
  await settled();
  running[1]?.end();
  assert.deepEqual(await Promise.all([second, third]), [2, 2]);
});

test('after a read with many callers, their next calls share one read', async () => {
  const pauses: (() => void)[] = [];
  const { read, running, started } = controlled(() => new Promise((resolve) => pauses.push(resolve)));
  const calls = [1, 2, 3, 4, 5].map(() => read('a'));
  running[0]?.end();
  await settled();
  assert.deepEqual([started(), pauses.length], [2, 0], 'the first read had one caller');
  calls.push(read('a'));
  running[1]?.end();
  await settled();
  calls.push(read('a'));
  assert.deepEqual([started(), pauses.length], [2, 1]);
  pauses[0]?.();
  await settled();
  running[2]?.end();
  assert.deepEqual(await Promise.all(calls), [1, 2, 2, 2, 2, 3, 3]);
});

test('different keys do not wait for each other', async () => {
  const { read, running } = controlled();
  const both = [read('a'), read('b')];
  assert.deepEqual(
    running.map(({ key }) => key),
    ['a', 'b'],
  );
  for (const { end } of running) end();
  assert.deepEqual(await Promise.all(both), [1, 2]);
});

test('a failed read fails for the callers that share it, and the next callers get a new read', async () => {
  const { read, running } = controlled();
  const first = read('a');
  const second = read('a');
  running[0]?.end(new Error('gone'));
  await assert.rejects(first, /gone/);
  await settled();
  running[1]?.end(new Error('still gone'));
  await assert.rejects(second, /still gone/);
  await settled();
  const third = read('a');
  running[2]?.end();
  assert.equal(await third, 3);
});

test('in any order of calls and ends, no caller gets a read that started before its call', async (t) => {
  await holds(
    t,
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (steps) => {
      const { read, running, started } = controlled();
      const calls: { startedBefore: number; value: Promise<number> }[] = [];
      let ended = 0;
      const endOne = async () => {
        running[ended]?.end();
        if (ended < running.length) ended += 1;
        await settled();
      };
      for (const isCall of steps) {
        if (isCall) calls.push({ startedBefore: started(), value: read('a') });
        else await endOne();
      }
      while (ended < running.length) await endOne();
      for (const { startedBefore, value } of calls) assert.ok((await value) > startedBefore);
      assert.ok(started() <= calls.length);
    }),
    { runs: 50 },
  );
});
