/**
 * Commands that run until they are done or asked to stop.
 */
import { once } from 'node:events';

const shellLookMs = 250;
/** npm and the terminal both pass on one Ctrl-C. */
const sameRequestMs = 500;
/** SIGHUP: the terminal was closed. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof exitCodes;
const stopSignals = Object.keys(exitCodes) as StopSignal[];

/** The process was asked to stop. The reason of the signal that `untilStopped` passes. */
export class Stopped extends Error {
  readonly exitCode: number;

  constructor(name: StopSignal) {
    super(`stopped by ${name}`);
    this.exitCode = exitCodes[name];
  }
}

let running = 0;

/** Whether `untilStopped` runs, so that its command ends in its own way. */
export function isStoppable(): boolean {
  return running > 0;
}

/**
 * Runs with a signal that is aborted when the process is asked to stop: by Ctrl-C, by SIGTERM, by SIGHUP, or by the end of the
 * shell in which npx runs it, because that shell does not pass SIGTERM on. A second request ends the process at once, unless `again`
 * handles it.
 */
export async function untilStopped<T>(
  run: (signal: AbortSignal) => Promise<T>,
  { again = (name) => process.exit(exitCodes[name]) }: { again?: (name: StopSignal) => void } = {},
): Promise<T> {
  const stop = new AbortController();
  let stoppedAt = 0;
  const request = (name: StopSignal) => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      stop.abort(new Stopped(name));
    } else if (performance.now() - stoppedAt > sameRequestMs) again(name);
  };
  for (const name of stopSignals) process.on(name, request);
  running += 1;
  const shell = process.ppid;
  const look = setInterval(() => {
    if (process.ppid !== shell && !stop.signal.aborted) request('SIGTERM');
  }, shellLookMs).unref();
  if (process.env.npm_command === undefined) clearInterval(look);
  try {
    return await run(stop.signal);
  } finally {
    clearInterval(look);
    running -= 1;
    for (const name of stopSignals) process.off(name, request);
  }
}

/** The result, or the signal's reason once it is aborted. The work is not waited for then. */
export async function orStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const reject = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', reject);
  if (signal.aborted) reject();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', reject);
  }
}

/** Waits until the signal is aborted. */
export async function whenStopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Waits for one more signal to stop. */
export async function nextSignal(): Promise<void> {
  await Promise.race(stopSignals.map((name) => once(process, name)));
}
