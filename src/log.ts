/**
 * The log of a process: JSON lines on stderr.
 */
import { pino } from 'pino';
import type { Config } from './config.ts';

type Level = Config['logLevel'];

/** The log of a server. */
export function openLog(level: Level): pino.Logger {
  return pino({ level }, openDestination());
}

/** Errors end neither the process nor its orderly stop: the terminal may be closed, or the disk full. */
function openDestination() {
  const destination = pino.destination(2);
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    // It would retry forever.
    destination.flushSync = () => undefined;
    // The terminal never comes back.
    if (code === 'EIO') destination.write = () => true;
  });
  return destination;
}

/** The log of a command: at the usual level it shows warnings only, because the command prints its result itself. */
export function openCommandLog(level: Level): pino.Logger {
  return openLog(level === 'info' ? 'warn' : level);
}
