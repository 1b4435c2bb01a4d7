/** When statements leave for the database: not with the call that gives them to the client, but in a later turn of the loop. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Resolves when the client has sent what it was given: it does so in a later turn, the first of these two. Who goes on working
 * after it has the database at work meanwhile.
 */
export async function statementsSent(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
