/**
 * An exported table: named columns, and the rows of a bot in a fixed order.
 *
 * The names are the same in every format and in imported files. Values are JSON values. Instants are ISO 8601 texts in UTC with
 * milliseconds; days are days of the bot's zone.
 */
import type { Bot } from '../bots/bots.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { dayOf } from '../time.ts';
import { readBatches } from './cursor.ts';

export type Value = string | number | boolean | null | readonly string[];
export type Row = Record<string, Value>;

export type Scope = {
  bot: Bot;
  /** Days of the bot's zone, both included; null: no bound. */
  from: string | null;
  to: string | null;
  /** The same in ms: from `since` to before `until`. */
  since: number | null;
  until: number | null;
  /** ms */
  now: number;
};

export type Reading = { sql: Sql; signal: AbortSignal };

export type Table = {
  /** In the order of the file. New columns are appended; existing ones keep their positions. */
  columns: readonly string[];
  /** True: rows describe single people. False: rows are counts. */
  isPersonal: boolean;
  /** The number of rows that `read` will yield. */
  count(tx: Transaction, scope: Scope): Promise<number>;
  /** The rows in batches. `signal` ends the read; `sql` runs the cancellation on another connection. */
  read(tx: Transaction, scope: Scope, reading: Reading): AsyncIterable<Row[]>;
};

export type Query = {
  columns: readonly string[];
  /** Computed columns, by name: the day, in the bot's zone, of the instant in another column. */
  days: Readonly<Record<string, string>>;
  /** `from … where …`: one row for each row of the export. */
  source(tx: Transaction, scope: Scope): Fragment;
  /** The whole query over the source, with all columns in order; those of `days` are null. */
  select(tx: Transaction, source: Fragment, scope: Scope): Fragment;
};

/** A personal table that is read by one query. */
export function tableOf({ columns, days, source, select }: Query): Table {
  return {
    columns,
    isPersonal: true,
    async count(tx, scope) {
      const [row] = await tx<{ count: number }[]>`select count(*) as count ${source(tx, scope)}`;
      return row?.count ?? 0;
    },
    async *read(tx, scope, reading) {
      const query = select(tx, source(tx, scope), scope);
      for await (const rows of readBatches<Row>(tx, query, reading)) {
        for (const row of rows) addDays(row, days, scope.bot.timeZone);
        yield rows;
      }
    },
  };
}

/** For queries: an instant as text. The session's zone is UTC (client.ts). */
export function isoOf(sql: Queryable, column: string): Fragment {
  return sql`to_char(${sql(column)}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** For queries: true if an instant is in the scope. */
export function isWithin(sql: Queryable, column: string, { since, until }: Scope): Fragment {
  return sql`${since === null ? sql`true` : sql`${sql(column)} >= ${new Date(since)}`}
    and ${until === null ? sql`true` : sql`${sql(column)} < ${new Date(until)}`}`;
}

// Uses the calendar of this process, as stored days do: PostgreSQL's time zone data may be of another year.
function addDays(row: Row, days: Query['days'], zone: string): void {
  for (const [day, instant] of Object.entries(days)) {
    const at = row[instant];
    row[day] = typeof at === 'string' ? dayOf(Date.parse(at), zone) : null;
  }
}
