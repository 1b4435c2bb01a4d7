/** Counts requests that were not counted as deliveries in memory, and writes the counts from time to time and at the end. */
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { Poll } from '../database/poll.ts';
import { type RefusalReason, RefusedDeliveries } from '../inbox/refused.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { type Clock, secondMs } from '../time.ts';

export type NoteRefusal = (channel: { botId: string; platform: PlatformName }, reason: RefusalReason) => void;

const writeEveryMs = 10 * secondMs;

export function countRefused(
  { sql, clock, log }: { sql: Sql; clock: Clock; log: Pick<Logger, 'error'> },
  closers: (() => Promise<void>)[],
): NoteRefusal {
  const refused = new RefusedDeliveries();
  const name = 'the count of refused deliveries';
  const poll = new Poll(() => refused.write(sql), { name, pauseMs: writeEveryMs, log });
  closers.push(async () => {
    await poll.stop();
    await refused.write(sql).catch((error: unknown) => logFailure(log, error, `${name} is lost`));
  });
  return (channel, reason) => refused.note(channel, reason, clock());
}
