import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Due, DueWork } from './due-work.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Work whose items the test ends one by one. The timers are mocked: no test waits. */
function work(
  t: TestContext,
  { items = [], atOnce = 2 }: { items?: [string, number][]; atOnce?: number } = {},
) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const due: Due<string>[] = items.map(([item, dueAt]) => ({ item, key: item, dueAt }));
  const running = new Map<string, PromiseWithResolvers<boolean>>();
  const counts = { looks: 0, failures: 0 };
  let now = 0;
  const dueWork = new DueWork<string>({
    ...{ name: 'work', atOnce, lookMs: 1_000, clock: () => now },
    log: {
      error() {
        counts.failures += 1;
      },
    },
    async look() {
      counts.looks += 1;
      return [...due];
    },
    work(item) {
      const ended = Promise.withResolvers<boolean>();
      running.set(item, ended);
      return ended.promise.finally(() => running.delete(item));
    },
  });
  const tick = async (ms: number) => {
    now += ms;
    t.mock.timers.tick(ms);
    await turn();
  };
  return { dueWork, due, running, counts, tick, itemsNow: () => [...running.keys()] };
}

test('without due work there is one look in a while', async (t) => {
  const { counts, tick } = work(t, { atOnce: 4 });
  await turn();
  await tick(999);
  assert.equal(counts.looks, 1);
  await tick(1);
  assert.equal(counts.looks, 2);
});

test('some items are worked on at once, each once, and the next one when one ends', async (t) => {
  const { due, running, itemsNow, tick } = work(t, {
    items: [
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ],
  });
  await turn();
  await tick(1_000);
  assert.deepEqual(itemsNow(), ['a', 'b']);
  due.shift();
  running.get('a')?.resolve(true);
  await turn();
  await turn();
  assert.deepEqual(itemsNow(), ['b', 'c']);
});

test('an item that is due soon is worked on when it is due', async (t) => {
  const { itemsNow, tick } = work(t, { items: [['soon', 300]] });
  await turn();
  await tick(299);
  assert.deepEqual(itemsNow(), []);
  await tick(1);
  assert.deepEqual(itemsNow(), ['soon']);
});

test('a failure is logged, and the item is worked on again after the pause', async (t) => {
  const { running, itemsNow, counts, tick } = work(t, { items: [['a', 0]] });
  await turn();
  running.get('a')?.reject(new Error('broken'));
  await turn();
  assert.deepEqual([counts.failures, itemsNow()], [1, []]);
  await tick(1_000);
  assert.deepEqual(itemsNow(), ['a']);
});

test('a stop begins nothing more and waits for what runs', async (t) => {
  const { dueWork, running, itemsNow } = work(t, {
    items: [
      ['a', 0],
      ['b', 0],
    ],
    atOnce: 1,
  });
  await turn();
  let isStopped = false;
  const stopped = dueWork.stop().then(() => {
    isStopped = true;
  });
  await turn();
  assert.equal(isStopped, false);
  running.get('a')?.resolve(true);
  await stopped;
  assert.deepEqual(itemsNow(), []);
});
