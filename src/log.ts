/**
 * The log of a process: JSON lines on stderr.
 */
import { pino } from 'pino';
import type { Config } from './config.ts';

type Level = Config['logLevel'];

/** The log of a server. */
export function openLog(level: Level): pino.Logger {
  return pino({ level }, pino.destination(2));
}

/** The log of a command: at the usual level it shows warnings only, because the command prints its result itself. */
export function openCommandLog(level: Level): pino.Logger {
  return openLog(level === 'info' ? 'warn' : level);
}
