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
  /** LINE's address, and bounds of its calls. */
  lineApi: string;
  times?: Partial<LineTimes>;
  /** So long the record of a send that LINE took is tried, ms. */
  recordMs?: number;
  /** Hand on calls that are no sends. */
  passThrough: boolean;
  /** Address under which people reach this server; null: none is set, no clicks are counted. */
  publicUrl: string | null;
  /** Told after each commit that held a record of the bot. */
  stored(botId: string): void;
  sent(kind: SendKind, outcome: SendOutcome): void;
};
