/**
 * Instants in queries: milliseconds since 1970 in the code (time.ts), `timestamptz` in the database.
 */
import type { Fragment, Queryable } from './client.ts';

/** A column in milliseconds, without its microseconds. */
export function msOf(sql: Queryable, column: string): Fragment {
  return sql`(extract(epoch from date_trunc('milliseconds', ${sql(column)})) * 1000)::float8`;
}

/** The parameter of an instant. */
export function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
