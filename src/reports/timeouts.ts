/**
 * Reads that count from rows of their range instead of kept figures: how long they may take, and what is said when they take
 * longer.
 */
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';

const statementMsMax = 60_000;
/** PostgreSQL's code of a statement that took longer than it may. */
const statementCancelled = '57014';

/** Bounds each of the transaction's statements from here on. */
export async function boundStatements(tx: Transaction): Promise<void> {
  await tx`select set_config('statement_timeout', ${String(statementMsMax)}, true)`;
}

/** Reads from one state of the database. Throws Refusal READ_TOO_LONG for what was bounded and takes longer. */
export async function readAtOnce<Value>(sql: Sql, read: (tx: Transaction) => Promise<Value>): Promise<Value> {
  try {
    return (await sql.begin('isolation level repeatable read read only', read)) as Value;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === statementCancelled)) throw error;
    throw new Refusal(
      'READ_TOO_LONG',
      `Counting from the events took longer than ${statementMsMax / 1_000} s.`,
    );
  }
}
