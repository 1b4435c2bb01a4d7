import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Poll } from './poll.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A poll whose steps the test ends one by one. The timers are mocked: no test waits. */
function steps(mock: { timers: { enable(options: { apis: ['setTimeout'] }): void } }) {
  mock.timers.enable({ apis: ['setTimeout'] });
  const running: PromiseWithResolvers<number | undefined>[] = [];
  const logged: string[] = [];
  const log = { error: (_: unknown, message: string) => void logged.push(message) };
  const step = () => {
    running.push(Promise.withResolvers());
    return running.at(-1)?.promise ?? Promise.resolve(undefined);
  };
  const poll = new Poll(step, { name: 'work', pauseMs: 1_000, retryMsMax: 800, log: log as never });
  const end = async (pauseMs?: number) => {
    running.at(-1)?.resolve(pauseMs);
    await turn();
  };
  const fail = async () => {
    running.at(-1)?.reject(new Error('broken'));
    await turn();
  };
  return { poll, running, logged, end, fail };
}

test('a step runs at once, and again after its pause or the pause that it returns', async (t) => {
  const { poll, running, end } = steps(t.mock);
  await end();
  t.mock.timers.tick(999);
  await turn();
  assert.equal(running.length, 1);
  t.mock.timers.tick(1);
  await turn();
  assert.equal(running.length, 2);
  await end(10);
  t.mock.timers.tick(10);
  await turn();
  assert.equal(running.length, 3);
  await end(0);
  assert.equal(running.length, 4);
  await Promise.all([poll.stop(), end()]);
});

test('a wake ends the pause, also if it comes during a step', async (t) => {
  const { poll, running, end } = steps(t.mock);
  await end();
  poll.wake();
  await turn();
  assert.equal(running.length, 2);
  poll.wake();
  await end();
  await turn();
  assert.equal(running.length, 3);
  await Promise.all([poll.stop(), end()]);
});

test('pauses after failures grow up to the maximum, no wake shortens them, and a success resets them', async (t) => {
  const { poll, running, logged, end, fail } = steps(t.mock);
  for (const ms of [200, 400, 800, 800]) {
    const count = running.length;
    await fail();
    poll.wake();
    t.mock.timers.tick(ms - 1);
    await turn();
    assert.equal(running.length, count);
    t.mock.timers.tick(1);
    await turn();
    assert.equal(running.length, count + 1);
  }
  await end();
  t.mock.timers.tick(1_000);
  await turn();
  await fail();
  assert.deepEqual(
    logged,
    [0.2, 0.4, 0.8, 0.8, 0.2].map((seconds) => `work failed, retrying in ${seconds} s`),
  );
  await poll.stop();
});

test('stop waits for the running step, and ends a pause after a failure', async (t) => {
  const { poll, running, end } = steps(t.mock);
  let hasStopped = false;
  const stopped = poll.stop().then(() => {
    hasStopped = true;
  });
  await turn();
  assert.equal(hasStopped, false);
  await end();
  await stopped;
  assert.equal(running.length, 1);
  const other = steps({ timers: { enable: () => undefined } });
  await other.fail();
  await other.poll.stop();
  assert.equal(other.running.length, 1);
});
