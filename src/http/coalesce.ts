/**
 * One read for many callers. Callers that arrive while a read of their key is running share the next one, so each answer was read
 * after its call arrived, and each key has one read at a time.
 *
 * The next read starts one turn of the event loop after the running one ended: the calls that arrived while its callers were answered
 * share it too.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

type Run<Value> = { ended: Promise<void>; next: Promise<Value> | null };

/** Coalesces reads. A failed read fails for the callers that share it only. Holds only keys with a running read. */
export function coalesced<Value>(read: (key: string) => Promise<Value>): (key: string) => Promise<Value> {
  const runs = new Map<string, Run<Value>>();
  const start = (key: string): Promise<Value> => {
    const value = read(key);
    const run: Run<Value> = { ended: Promise.resolve(), next: null };
    const end = () => {
      if (run.next === null) runs.delete(key);
    };
    run.ended = value.then(end, end);
    runs.set(key, run);
    return value;
  };
  return (key) => {
    const run = runs.get(key);
    if (!run) return start(key);
    run.next ??= run.ended.then(() => nextTurn()).then(() => start(key));
    return run.next;
  };
}
