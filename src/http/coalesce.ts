/**
 * One read for many callers. Callers that arrive while a read of their key is running share the next one, so each answer was read
 * after its call arrived, and each key has one read at a time.
 *
 * The next read starts one turn of the event loop after the running one ended: the calls that arrived while its callers were answered
 * share it too. After a read with many callers it starts a millisecond later. Its callers then send their next calls, and one read
 * serves them all, not a few each.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

type Run<Value> = { ended: Promise<void>; callers: number; next: Promise<Value> | null; nextCallers: number };

const manyCallers = 4;
const gatherMs = 1;

/**
 * Coalesces reads. A failed read fails for the callers that share it only. Holds only keys with a running read. `gather`: the pause
 * after a read with many callers.
 */
export function coalesced<Value>(
  read: (key: string) => Promise<Value>,
  gather: () => Promise<void> = () => pause(gatherMs),
): (key: string) => Promise<Value> {
  const runs = new Map<string, Run<Value>>();
  const start = (key: string, callers: number): Promise<Value> => {
    const value = read(key);
    const run: Run<Value> = { ended: Promise.resolve(), callers, next: null, nextCallers: 0 };
    const end = () => {
      if (run.next === null) runs.delete(key);
    };
    run.ended = value.then(end, end);
    runs.set(key, run);
    return value;
  };
  const startNext = async (key: string, run: Run<Value>): Promise<Value> => {
    await run.ended;
    await (run.callers < manyCallers ? nextTurn() : gather());
    return start(key, run.nextCallers);
  };
  return (key) => {
    const run = runs.get(key);
    if (!run) return start(key, 1);
    run.nextCallers += 1;
    run.next ??= startNext(key, run);
    return run.next;
  };
}
