/**
 * The time limit of reads that count the rows of their range instead of reading stored counters.
 */
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';

const statementMsMax = 60_000;
/** PostgreSQL's code of a statement that was cancelled by its timeout. */
const statementCancelled = '57014';

/** Limits the time of each later statement of the transaction. */
export async function limitStatementTime(tx: Transaction): Promise<void> {
  await tx`select set_config('statement_timeout', ${String(statementMsMax)}, true)`;
}

/** Reads from one snapshot of the database. Throws Refusal READ_TOO_LONG if a statement exceeds the limit. */
export async function readSnapshot<Value>(
  sql: Sql,
  read: (tx: Transaction) => Promise<Value>,
): Promise<Value> {
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
