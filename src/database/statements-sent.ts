/** When the client sends statements: in a later turn of the event loop, not during the call. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Resolves after the client has sent its statements, which it does in the first of these two turns. Computations after it run while
 * the database works.
 */
export async function statementsSent(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
