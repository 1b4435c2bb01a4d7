/**
 * Ends that may be asked for twice.
 */

/** Runs at the first call only; every call gets the same promise. */
export function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
