/**
 * What a command is given: the database, time and chance, and the two ways out. `cli/cli.ts` makes it; tests make their own.
 */

import type { Keys } from '../auth/keys.ts';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import type { Random } from '../random.ts';
import type { startServer } from '../server/server.ts';
import type { Clock } from '../time.ts';

/** What a command on data needs. */
export type CommandContext = {
  /**
   * Opens the database, runs, closes it again. Refuses a secret key that is not the database's, unless `anyKey`. Ctrl-C, SIGTERM
   * and SIGHUP end the run, close the database and throw Stopped, unless the command runs within `untilStopped`.
   */
  withDatabase<T>(run: (sql: Sql) => Promise<T>, options?: { anyKey?: boolean }): Promise<T>;
  clock: Clock;
  random: Random;
  /** Prints an answer to stdout. */
  out(text: string): void;
  /** Prints what goes beside the answer to stderr. */
  log(text: string): void;
};

export type Context = CommandContext & {
  /** The options of the command that is running. */
  config(): Config;
  /** The database's keys of secrets at rest and of API tokens. Throws Refusal INPUT_INVALID when they are missing. */
  keys(sql: Sql): Promise<Keys>;
  startServer: typeof startServer;
};
