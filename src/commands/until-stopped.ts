/**
 * Commands that run until they are done or told to stop.
 */

/** Runs with a signal that Ctrl-C (or SIGTERM) aborts, so that the end is orderly. */
export async function untilStopped<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.on('SIGINT', abort).on('SIGTERM', abort);
  try {
    return await run(stop.signal);
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}
