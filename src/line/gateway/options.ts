/**
 * The gateway's options.
 */
import type { Logger } from 'pino';
import type { Keys } from '../../auth/keys.ts';
import type { Sql } from '../../database/client.ts';
import type { GroupCommit } from '../../inbox/group-commit.ts';
import type { Random } from '../../random.ts';
import type { Clock } from '../../time.ts';
import type { SendKind } from '../daily-figures.ts';
import type { LineTimes } from './line-host.ts';

/** The result of a send, as the metrics count it. */
export type SendOutcome = 'recorded' | 'refused-by-line' | 'failed' | 'not-recorded';

export type GatewayOptions = {
  sql: Sql;
  keys: Keys;
  inbox: GroupCommit;
  clock: Clock;
  random: Random;
  log: Pick<Logger, 'error' | 'warn'>;
  /** LINE's address, and the time limits of its calls. */
  lineApi: string;
  times?: Partial<LineTimes>;
  /** The time limit for recording a send that LINE accepted, ms. */
  recordMs?: number;
  /** True: forward calls that are not sends. */
  passThrough: boolean;
  /** The public address of this server; null: not set, so clicks do not count. */
  publicUrl: string | null;
  /** Called after each commit with a record of the bot. */
  onStored(botId: string): void;
  onSend(kind: SendKind, outcome: SendOutcome): void;
};
