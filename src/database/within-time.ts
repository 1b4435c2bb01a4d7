/**
 * A bound on the time of a database call that a caller waits for.
 */
import { databaseSilent } from './outage.ts';

const msMax = 3_000;

/** Rejects when the call has not ended in time; the call itself goes on. */
export function withinTime<T>(call: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(databaseSilent()), msMax);
  return Promise.race([call, promise]).finally(() => clearTimeout(timer));
}
