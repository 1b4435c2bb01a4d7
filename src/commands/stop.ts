/**
 * Commands that end in order when they are told to stop (Ctrl-C, SIGTERM).
 */

/** Runs with a signal that is aborted at the first SIGINT or SIGTERM. */
export async function untilStopped<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.on('SIGINT', abort).on('SIGTERM', abort);
  try {
    return await run(stop.signal);
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}
