/**
 * The daily comparison with MantaGo. The row of a bot's watch is locked during a comparison, so one process at a time compares.
 */
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { dayMs, hourMs, minuteMs } from '../time.ts';
import { type CompareParts, compare } from './comparison.ts';
import { MantagoFailure } from './mantago-client.ts';
import type { Watch } from './watch-rows.ts';

const firstPauseMs = minuteMs;
const pauseMsMax = hourMs;

/** Makes the comparisons that are due, of any bot. `lockSql` holds a connection during each. */
export async function compareDue(
  parts: CompareParts & { lockSql: Sql },
  isStopped: () => boolean,
): Promise<void> {
  const due = await parts.lockSql<{ botId: string }[]>`
    select bot_id as "botId" from mantago_watches where next_at <= ${new Date(parts.clock())}`;
  for (const { botId } of due) {
    if (isStopped()) return;
    await parts.lockSql.begin((tx) => compareLocked(tx, parts, botId));
  }
}

async function compareLocked(tx: Transaction, parts: CompareParts, botId: string): Promise<void> {
  const now = parts.clock();
  const [watch] = await tx<(Watch & { failures: number })[]>`
    select tolerance, sample, next_at as "nextAt", problem, failures from mantago_watches
    where bot_id = ${botId} and next_at <= ${new Date(now)} for no key update skip locked`;
  if (!watch) return;
  const { tolerance, sample, nextAt, failures } = watch;
  let problem: string | null = null;
  let pauseMs = 0;
  try {
    await compare(parts, botId, { tolerance, sample });
    // The same time of the day, also after days without a server.
    const days = Math.floor((now - nextAt.getTime()) / dayMs) + 1;
    pauseMs = nextAt.getTime() + days * dayMs - now;
  } catch (error) {
    if (!(error instanceof MantagoFailure || error instanceof Refusal)) throw error;
    problem = error.message;
    const growing = Math.min(firstPauseMs * 2 ** Math.min(failures, 20), pauseMsMax);
    pauseMs = error instanceof MantagoFailure ? (error.pauseMs ?? growing) : growing;
  }
  await tx`
    update mantago_watches set next_at = ${new Date(now + pauseMs)}, problem = ${problem},
      failures = ${problem === null ? 0 : failures + 1}, updated_at = ${new Date(now)}
    where bot_id = ${botId}`;
}
