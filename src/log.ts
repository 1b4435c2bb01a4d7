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

/** Ignores write errors, so that the process continues and can stop normally: the terminal can be closed, or the disk full. */
function openDestination() {
  const destination = pino.destination(2);
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    // It would retry forever.
    destination.flushSync = () => undefined;
    // A closed terminal stays closed.
    if (code === 'EIO') destination.write = () => true;
  });
  return destination;
}

/** The log of a command. At the default level it shows only warnings, because the command prints its own result. */
export function openCommandLog(level: Level): pino.Logger {
  return openLog(level === 'info' ? 'warn' : level);
}
