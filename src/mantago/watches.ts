/**
 * The daily comparison with MantaGo. A process claims one by moving its next time ahead, so no row is locked during the calls.
 */
import type { Logger } from 'pino';
import { Stopped } from '../collector/source.ts';
import type { Queryable } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { Refusal } from '../errors.ts';
import { dayMs, hourMs, minuteMs } from '../time.ts';
import { type CompareParts, compare } from './comparison.ts';
import { MantagoFailure } from './mantago-client.ts';
import type { CompareOptions } from './watch-rows.ts';

const firstPauseMs = minuteMs;
const pauseMsMax = hourMs;
/** Longer than a comparison takes at one call a minute. A killed one is repeated after it. */
const claimMs = hourMs;

type DueParts = CompareParts & { log: Pick<Logger, 'error'> };
type Due = CompareOptions & { botId: string; nextAt: Date; failures: number };

/** The daily comparisons of all bots, in their order. */
export async function nextComparisons(
  sql: Queryable,
  { limit }: { limit: number },
): Promise<{ botId: string; nextAt: Date }[]> {
  return sql`
    select bot_id as "botId", next_at as "nextAt" from mantago_watches order by next_at limit ${limit}`;
}

/** Makes the bot's daily comparison. False: it is not due. Safe to call from any number of processes. */
export async function compareDue(parts: DueParts, botId: string): Promise<boolean> {
  const { sql, clock } = parts;
  const now = clock();
  const [due] = await sql<Due[]>`
    select bot_id as "botId", tolerance, sample, next_at as "nextAt", failures from mantago_watches
    where bot_id = ${botId} and next_at <= ${new Date(now)}`;
  if (!due) return false;
  const claimedUntil = new Date(now + claimMs);
  const move = async (from: Date, values: { next_at: Date; problem?: string | null; failures?: number }) => {
    const { count } = await sql`
      update mantago_watches set ${sql({ ...values, updated_at: new Date(clock()) })}
      where bot_id = ${botId} and next_at = ${from}`;
    return count > 0;
  };
  // Another process was faster.
  if (!(await move(due.nextAt, { next_at: claimedUntil }))) return true;
  try {
    const { pauseMs, problem } = await compareOnce(parts, due, now);
    const failures = problem === null ? 0 : due.failures + 1;
    await move(claimedUntil, { next_at: new Date(now + pauseMs), problem, failures });
  } catch (error) {
    if (error instanceof Stopped) await move(claimedUntil, { next_at: due.nextAt });
    throw error;
  }
  return true;
}

/** Returns the pause until the next comparison. */
async function compareOnce(
  parts: DueParts,
  { botId, tolerance, sample, nextAt, failures }: Due,
  now: number,
): Promise<{ pauseMs: number; problem: string | null }> {
  try {
    await compare(parts, botId, { tolerance, sample });
    // The same time of the day, also after days without a server.
    const days = Math.floor((now - nextAt.getTime()) / dayMs) + 1;
    return { pauseMs: nextAt.getTime() + days * dayMs - now, problem: null };
  } catch (error) {
    if (error instanceof Stopped) throw error;
    const growing = Math.min(firstPauseMs * 2 ** Math.min(failures, 20), pauseMsMax);
    if (error instanceof MantagoFailure) return { pauseMs: error.pauseMs ?? growing, problem: error.message };
    if (error instanceof Refusal) return { pauseMs: growing, problem: error.message };
    logFailure(parts.log, error, `the comparison of bot ${botId} with MantaGo failed`);
    return { pauseMs: growing, problem: "The comparison failed. The server's log has the error." };
  }
}
