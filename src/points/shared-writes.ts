/**
 * Changes that share a commit. While a commit of a bot's changes is under way, those who come wait, and the next one takes all
 * of them at once: so a bot's accounts are mostly locked by one transaction at a time, and the more changes come, the less each
 * of them costs. Each is answered after its own commit, with its own result or refusal.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import { checkChange, type PointChange } from './change.ts';
import { type PointResult, pointsTransaction, writePoints } from './ledger.ts';

const changesMax = 200;
/** A commit that takes longer waits for somebody's lock; others need not wait with it. */
const patienceMs = 100;
const commitsMax = 4;

type Waiting = {
  change: PointChange;
  now: number;
  resolve(result: PointResult): void;
  reject(reason: unknown): void;
};

/**
 * The ledger's writes as a server makes them: the function gives a change's result, or throws its Refusal (those of ledger.ts,
 * which says what each kind does). `now` in ms. Safe to repeat with the same key.
 */
export function sharedWrites(
  sql: Sql,
): (botId: string, change: PointChange, given: { now: number }) => Promise<PointResult> {
  const queues = new Map<string, Queue>();
  return async (botId, change, { now }) => {
    checkChange(change);
    const queue = queues.get(botId) ?? new Queue(sql, botId, () => queues.delete(botId));
    queues.set(botId, queue);
    return queue.write(change, now);
  };
}

/** The changes of one bot that wait, and the commits under way. */
class Queue {
  readonly #sql: Sql;
  readonly #botId: string;
  readonly #emptied: () => void;
  readonly #waiting: Waiting[] = [];
  #commits = 0;
  /** Commits that have not lasted longer than is usual. */
  #prompt = 0;

  constructor(sql: Sql, botId: string, emptied: () => void) {
    this.#sql = sql;
    this.#botId = botId;
    this.#emptied = emptied;
  }

  write(change: PointChange, now: number): Promise<PointResult> {
    const { promise, resolve, reject } = Promise.withResolvers<PointResult>();
    this.#waiting.push({ change, now, resolve, reject });
    this.#next();
    return promise;
  }

  #next(): void {
    if (this.#waiting.length > 0 && this.#prompt === 0 && this.#commits < commitsMax) void this.#commit();
    if (this.#waiting.length === 0 && this.#commits === 0) this.#emptied();
  }

  async #commit(): Promise<void> {
    this.#commits += 1;
    this.#prompt += 1;
    // After the current turn of the loop, so that those who come in it, told of the last commit, go together.
    await turn();
    let prompt = true;
    const late = () => {
      if (prompt) this.#prompt -= 1;
      prompt = false;
      this.#next();
    };
    const timer = setTimeout(late, patienceMs);
    await this.#answer(this.#waiting.splice(0, changesMax));
    clearTimeout(timer);
    this.#commits -= 1;
    late();
  }

  async #answer(asked: readonly Waiting[]): Promise<void> {
    // They came within about a commit's time of each other: what has run out for one of them has for all.
    const now = Math.max(...asked.map((waiting) => waiting.now));
    const changes = asked.map(({ change }) => change);
    try {
      const outcomes = await pointsTransaction(this.#sql, (tx) =>
        writePoints(tx, this.#botId, changes, { now }),
      );
      for (const [index, { resolve, reject }] of asked.entries()) {
        const outcome = outcomes[index] ?? new Error('a change has no outcome');
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
