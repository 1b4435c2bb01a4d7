/**
 * Erases a contact within one call, without a time limit.
 */
import assert from 'node:assert/strict';
import type { Sql } from '../../src/database/client.ts';
import { runJob, startForgetting } from '../../src/jobs/jobs.ts';
import type { Random } from '../../src/random.ts';

export async function forgetContact(
  sql: Sql,
  contact: { botId: string; contactId: string },
  { now, random }: { now: number; random: Random },
): Promise<void> {
  const options = { clock: () => now, random };
  const job = await runJob(sql, await startForgetting(sql, contact, options), options);
  assert.equal(job.state, 'done');
}
