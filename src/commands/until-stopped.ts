/**
 * Commands that run until they are done or asked to stop.
 */
import { once } from 'node:events';

const shellLookMs = 250;

/**
 * Runs with a signal that is aborted when the process is asked to stop: by Ctrl-C, by SIGTERM, or by the end of the shell in
 * which npx runs it, because that shell does not pass SIGTERM on.
 */
export async function untilStopped<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.on('SIGINT', abort).on('SIGTERM', abort);
  const shell = process.ppid;
  const look = setInterval(() => {
    if (process.ppid !== shell) abort();
  }, shellLookMs).unref();
  if (process.env.npm_command === undefined) clearInterval(look);
  try {
    return await run(stop.signal);
  } finally {
    clearInterval(look);
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}

/** Waits until the signal is aborted. */
export async function whenStopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Waits for one more signal to stop. */
export async function nextSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}
