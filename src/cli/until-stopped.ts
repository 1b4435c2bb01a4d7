/**
 * Stop signals of commands.
 */
import { once } from 'node:events';

const shellCheckMs = 250;
/** npm and the terminal both forward one Ctrl-C. */
const sameRequestMs = 500;
/** The terminal sends SIGHUP when it is closed. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof exitCodes;
const stopSignals = Object.keys(exitCodes) as StopSignal[];

/** The process received a stop signal. `untilStopped` aborts its signal with this reason. */
export class Stopped extends Error {
  readonly exitCode: number;

  constructor(name: StopSignal) {
    super(`stopped by ${name}`);
    this.exitCode = exitCodes[name];
  }
}

let running = 0;

/** True while `untilStopped` runs, so that its command handles the stop. */
export function isStoppable(): boolean {
  return running > 0;
}

/**
 * Runs with a signal that is aborted at Ctrl-C, SIGTERM, SIGHUP, or the end of the shell in which npx runs the process. That shell
 * does not forward SIGTERM. A second stop signal ends the process at once, unless `again` handles it.
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
  const shellCheck = setInterval(() => {
    if (process.ppid !== shell && !stop.signal.aborted) request('SIGTERM');
  }, shellCheckMs).unref();
  if (process.env.npm_command === undefined) clearInterval(shellCheck);
  try {
    return await run(stop.signal);
  } finally {
    clearInterval(shellCheck);
    running -= 1;
    for (const name of stopSignals) process.off(name, request);
  }
}

/** Resolves with the result, or rejects with the signal's reason without waiting for the work. */
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

/** Resolves when the signal is aborted. */
export async function whenStopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Resolves at the next stop signal. */
export async function nextSignal(): Promise<void> {
  await Promise.race(stopSignals.map((name) => once(process, name)));
}
