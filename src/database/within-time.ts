/**
 * A time limit for database calls that a caller waits for.
 */
import { databaseSilent } from './outage.ts';

const msMax = 3_000;

/** Rejects if the call does not end in time. The call itself continues. */
export function withinTime<T>(call: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(databaseSilent()), msMax);
  return Promise.race([call, promise]).finally(() => clearTimeout(timer));
}
