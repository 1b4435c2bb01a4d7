/**
 * One read for many callers. While a read of a key is running, those who come ask for the next one, which begins when the
 * running one ends and serves all of them. So each caller's answer was read after its call came in, and however many call at
 * once, there is one read of a key at a time.
 */

type Run<Value> = { ended: Promise<void>; next: Promise<Value> | null };

/** Wraps a read. A failed read fails for all that share it, and for nobody else. Holds only the keys that are being read. */
export function shared<Value>(read: (key: string) => Promise<Value>): (key: string) => Promise<Value> {
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
    run.next ??= run.ended.then(() => start(key));
    return run.next;
  };
}
