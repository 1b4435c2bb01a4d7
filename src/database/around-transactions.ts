/**
 * Lets a caller add statements to the transactions of the work that it runs, such as the entry of the audit log.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Transaction } from './client.ts';

export type Work = (transaction: Transaction) => unknown;
/** `begin` runs a transaction with the work that it gets. */
export type Around = (begin: (work: Work) => Promise<unknown>, work: Work) => Promise<unknown>;

/** The function around each transaction of a pool that begins within `run`. */
export const aroundTransactions = new AsyncLocalStorage<Around>();
