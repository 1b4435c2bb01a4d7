/**
 * The context of a command: the database, clock, random numbers and output. cli.ts creates it; tests create their own.
 */
import type { Keys } from '../auth/keys.ts';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import type { Random } from '../random.ts';
import type { startServer } from '../server/server.ts';
import type { Clock } from '../time.ts';

/** The context of a command that opens the data. */
export type CommandContext = {
  /**
   * Opens the database, runs, and closes it. Throws a Refusal if the secret key is not the database's, unless `anyKey`. Ctrl-C,
   * SIGTERM and SIGHUP end the run, close the database and throw Stopped, unless the command runs within `untilStopped`. `isNew`: the
   * command creates the schema itself, with any key, and no server may run on the data folder.
   */
  withDatabase<T>(run: (sql: Sql) => Promise<T>, options?: { anyKey?: boolean; isNew?: boolean }): Promise<T>;
  clock: Clock;
  random: Random;
  /** Prints the answer to stdout. */
  out(text: string): void;
  /** Prints other messages to stderr. */
  log(text: string): void;
};

export type Context = CommandContext & {
  /** The options of the running command. */
  config(): Config;
  /** The keys for credentials and API tokens of this database. Throws Refusal INPUT_INVALID if they are missing. */
  keys(sql: Sql): Promise<Keys>;
  startServer: typeof startServer;
};
