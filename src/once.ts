/**
 * Work that is done once: ends that may be asked for twice, and files that are read when they are first needed.
 */

/** Runs at the first call only; every call gets the same promise. */
export function once<Value>(run: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
