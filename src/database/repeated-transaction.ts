/**
 * Transactions that other writers can defeat at any time, such as those with idempotency keys.
 */
import type { Sql, Transaction } from './client.ts';

const attemptsMax = 5;
const uniqueViolation = '23505';
const deadlock = '40P01';

/**
 * Runs a transaction, and repeats it after a deadlock, or if another transaction stored the same unique value at the same time. The
 * repetition sees that value. Throws the error of the fifth attempt.
 */
export async function repeatedTransaction<T>(sql: Sql, run: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // The client's type expects callbacks that return lists of queries.
      return (await sql.begin(run)) as T;
    } catch (error) {
      if (attempt === attemptsMax || !isRace(error)) throw error;
    }
  }
}

function isRace(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && [uniqueViolation, deadlock].includes(String(error.code))
  );
}
