/**
 * Webhook requests of existing channels that were not counted: counted in memory by reason, and written by channel and hour at
 * intervals. So a flood of forged requests of any size causes a few small writes a minute.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs, hourMs } from '../time.ts';

/**
 * `wrong-signature`: the signature is missing or wrong; `too-large`: over 3 MB; `other-account`: events of an account that is not the
 * channel's; `not-stored`: the database was unavailable or the queue full, so the platform delivers again (503).
 */
export const refusalReasons = ['wrong-signature', 'too-large', 'other-account', 'not-stored'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export type RefusedSummary = {
  platform: PlatformName;
  reason: RefusalReason;
  /** In the current hour and the 23 before it. */
  count: number;
  lastAt: Date;
};

type Count = {
  botId: string;
  platform: PlatformName;
  reason: RefusalReason;
  /** ms */
  hour: number;
  count: number;
  /** ms */
  lastAt: number;
};

/** The bound of counted channels, hours and reasons: more than any server has between two writes. */
const countsMax = 20_000;
const keptDays = 30;

export class RefusedDeliveries {
  #counts = new Map<string, Count>();

  /** Counts a request for an existing channel; `at` in ms. */
  note(
    { botId, platform }: { botId: string; platform: PlatformName },
    reason: RefusalReason,
    at: number,
  ): void {
    const hour = Math.floor(at / hourMs) * hourMs;
    this.#add({ botId, platform, reason, hour, count: 1, lastAt: at });
  }

  /** Adds the counts since the last write to the stored rows. If the write fails, the next call includes them. */
  async write(sql: Queryable): Promise<void> {
    const counts = [...this.#counts.values()];
    if (counts.length === 0) return;
    this.#counts = new Map();
    try {
      await addCounts(sql, counts);
    } catch (error) {
      for (const count of counts) this.#add(count);
      throw error;
    }
  }

  #add(added: Count): void {
    const key = `${added.botId} ${added.platform} ${added.reason} ${added.hour}`;
    const count = this.#counts.get(key);
    if (count) {
      count.count += added.count;
      count.lastAt = Math.max(count.lastAt, added.lastAt);
    } else if (this.#counts.size < countsMax) this.#counts.set(key, added);
  }
}

/** The refused requests of the last 30 days, by channel and reason. `now` in ms. */
export async function readRefused(sql: Queryable, botId: string, now: number): Promise<RefusedSummary[]> {
  const since = new Date(Math.floor(now / hourMs) * hourMs - 23 * hourMs);
  return sql<RefusedSummary[]>`
    select platform, reason, coalesce(sum(count) filter (where hour >= ${since}), 0)::float8 as count, max(last_at) as "lastAt"
    from refused_deliveries where bot_id = ${botId} group by platform, reason`;
}

/** Deletes counts older than 30 days. Idempotent. */
export async function purgeRefused(sql: Queryable, botId: string, { now }: { now: number }): Promise<void> {
  await sql`delete from refused_deliveries where bot_id = ${botId} and ${isOldRefused(sql, { now })}`;
}

/** For queries over `refused_deliveries`: true for counts that `purgeRefused` deletes. */
export function isOldRefused(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`hour < ${new Date(now - keptDays * dayMs)}`;
}

async function addCounts(sql: Queryable, counts: readonly Count[]): Promise<void> {
  await sql`
    insert into refused_deliveries as kept (bot_id, platform, hour, reason, count, last_at)
    select * from ${rowTable(sql, 'added', counts, {
      bot_id: ['text', ({ botId }) => botId],
      platform: ['text', ({ platform }) => platform],
      hour: ['timestamptz', ({ hour }) => hour],
      reason: ['text', ({ reason }) => reason],
      count: ['bigint', ({ count }) => count],
      last_at: ['timestamptz', ({ lastAt }) => lastAt],
    })}
    order by bot_id, platform, hour, reason
    on conflict (bot_id, platform, hour, reason) do update set
      count = kept.count + excluded.count, last_at = greatest(kept.last_at, excluded.last_at)`;
}
