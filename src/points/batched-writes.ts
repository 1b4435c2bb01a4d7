/**
 * Changes of points that share a commit. While a commit of a bot's changes is in work, further changes wait, and the next commit
 * takes all of them. Mostly one transaction at a time therefore locks a bot's accounts, and the cost of a change falls under load.
 * Each caller gets its own result or refusal after its own commit.
 */
import { Batcher } from '../batcher.ts';
import type { Sql } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { checkChange, type PointChange } from './change.ts';
import { type PointResult, writePoints } from './ledger.ts';

type Write = { change: PointChange; now: number };

const limits = {
  runsMax: 1,
  batchCountMax: 200,
  // A slower commit waits for a lock of another process. Other changes need not wait for it.
  slow: { afterMs: 100, runsMax: 4 },
};

/**
 * The ledger's writes for a server. The function returns a change's result or throws its Refusal (ledger.ts lists them). `now` in
 * ms. Safe to repeat with the same key.
 */
export function batchedWrites(
  sql: Sql,
): (botId: string, change: PointChange, { now }: { now: number }) => Promise<PointResult> {
  const batchers = new Map<string, Batcher<Write, PointResult>>();
  const write = (botId: string, writes: readonly Write[]) => {
    // All arrived within about one commit: points that expired for one of them expired for all.
    const now = Math.max(...writes.map((one) => one.now));
    const changes = writes.map(({ change }) => change);
    return repeatedTransaction(sql, (tx) => writePoints(tx, botId, changes, { now }));
  };
  return async (botId, change, { now }) => {
    checkChange(change);
    const batcher =
      batchers.get(botId) ??
      new Batcher<Write, PointResult>((writes) => write(botId, writes), {
        ...limits,
        idle: () => batchers.delete(botId),
      });
    batchers.set(botId, batcher);
    return batcher.put({ change, now });
  };
}
