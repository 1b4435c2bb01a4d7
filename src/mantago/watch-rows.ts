/**
 * The stored settings of daily comparisons with MantaGo (watches.ts makes them).
 */
import { findBot } from '../bots/bots.ts';
import type { Queryable } from '../database/client.ts';

export type CompareOptions = {
  /** The largest gap that is fine, in percent of MantaGo's figure. */
  tolerance: number;
  /** How many clients are compared one by one, 1 to 100. */
  sample: number;
};

export type Watch = CompareOptions & { nextAt: Date; problem: string | null };

/** Compares daily from `firstAt` (ms) on. Safe to repeat. Throws BOT_NOT_FOUND. */
export async function putWatch(
  sql: Queryable,
  botId: string,
  { tolerance, sample, firstAt, now }: CompareOptions & { firstAt: number; now: number },
): Promise<void> {
  await findBot(sql, botId);
  await sql`
    insert into mantago_watches (bot_id, tolerance, sample, next_at, updated_at)
    values (${botId}, ${tolerance}, ${sample}, ${new Date(firstAt)}, ${new Date(now)})
    on conflict (bot_id) do update set tolerance = excluded.tolerance, sample = excluded.sample, next_at = excluded.next_at,
      failures = 0, problem = null, updated_at = excluded.updated_at`;
}

/** Ends the daily comparison. Comparisons stay. Safe to repeat. */
export async function removeWatch(sql: Queryable, botId: string): Promise<void> {
  await sql`delete from mantago_watches where bot_id = ${botId}`;
}

/** Null: there is no daily comparison. */
export async function findWatch(sql: Queryable, botId: string): Promise<Watch | null> {
  const [row] = await sql<Watch[]>`
    select tolerance, sample, next_at as "nextAt", problem from mantago_watches where bot_id = ${botId}`;
  return row ?? null;
}
