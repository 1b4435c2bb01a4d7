/**
 * Delays of retries: exponential back-off from 0.5 s to 30 s with full jitter, so that thousands of widgets do not reconnect to a
 * restarted server at the same moment.
 */

const pauseMsMin = 500;
const pauseMsMax = 30_000;
const pollMsMax = 5_000;

/** ms before the next attempt after a number of consecutive failures (1 or more); `chance` is in [0, 1). */
export function reconnectPause(failures: number, chance: number): number {
  const limit = Math.min(pauseMsMax, pauseMsMin * 2 ** Math.max(0, failures - 1));
  return Math.round(limit * chance);
}

/** ms before the next poll, in (2.5 s, 5 s]. */
export function pollPause(chance: number): number {
  return Math.round(pollMsMax * (1 - chance / 2));
}

/** After a refusal for too many connections: the longest pause, never less than half of it. */
export function refusedPause(chance: number): number {
  return Math.round(pauseMsMax * (0.5 + chance / 2));
}
