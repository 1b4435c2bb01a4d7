/** Instants in queries: milliseconds since 1970 in the code (time.ts), `timestamptz` in the database. */
import type { Fragment, Queryable } from './client.ts';

/** The time of a column in ms; null stays null. */
export function msOf(sql: Queryable, column: string): Fragment {
  return sql`(extract(epoch from date_trunc('milliseconds', ${sql(column)})) * 1000)::float8`;
}

/** The time of a column in microseconds since 1970, as text. */
export function microsOf(sql: Queryable, column: string): Fragment {
  return sql`(extract(epoch from ${sql(column)}) * 1000000)::bigint::text`;
}

/** The instant of `microsOf`. */
export function instantOf(sql: Queryable, micros: string): Fragment {
  return sql`('epoch'::timestamptz + ${micros}::bigint * interval '1 microsecond')`;
}

/** The parameter of an instant in ms. */
export function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
