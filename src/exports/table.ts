/**
 * What an export is made of: named columns, and the rows of a bot in a fixed order.
 *
 * Names are the same in every format, and in the files that are imported. Values are what JSON knows; instants are texts in
 * ISO 8601, in UTC, to the millisecond, and days are days of the bot's zone.
 */
import type { Bot } from '../bots/bots.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { dayOf } from '../time.ts';
import { readBatches } from './cursor.ts';

export type Value = string | number | boolean | null | readonly string[];
export type Row = Record<string, Value>;

export type Scope = {
  bot: Bot;
  /** Days of the bot's zone, both included; null: from the first, up to the last there is. */
  from: string | null;
  to: string | null;
  /** The same in ms: from `since` on, before `until`. */
  since: number | null;
  until: number | null;
  /** ms */
  now: number;
};

export type Reading = { sql: Sql; signal: AbortSignal };

export type Table = {
  /** In the order of the file. They are added to behind, and never change their places. */
  columns: readonly string[];
  /** False: it holds counts only. True: it tells of single people. */
  isPersonal: boolean;
  /** How many rows there will be. */
  count(tx: Transaction, scope: Scope): Promise<number>;
  /** The rows in batches; `signal` ends the reading, `sql` takes what has to run beside it. */
  read(tx: Transaction, scope: Scope, reading: Reading): AsyncIterable<Row[]>;
};

export type Query = {
  columns: readonly string[];
  /** Columns that are worked out here: the day on which the instant of another column lies, in the bot's zone. */
  days: Readonly<Record<string, string>>;
  /** `from … where …`: one row of it for each row of the export. */
  source(tx: Transaction, scope: Scope): Fragment;
  /** The whole query over the source; the columns by their names and in their order, those of `days` as null. */
  select(tx: Transaction, source: Fragment, scope: Scope): Fragment;
};

/** A table of people that is one query. */
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

/** For queries: an instant as text. The session's zone is UTC (database.ts). */
export function isoOf(sql: Queryable, column: string): Fragment {
  return sql`to_char(${sql(column)}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** For queries: whether an instant lies in the scope. */
export function liesWithin(sql: Queryable, column: string, { since, until }: Scope): Fragment {
  return sql`${since === null ? sql`true` : sql`${sql(column)} >= ${new Date(since)}`}
    and ${until === null ? sql`true` : sql`${sql(column)} < ${new Date(until)}`}`;
}

// By the calendar of this process, like the kept days: PostgreSQL may know the zones of another year.
function addDays(row: Row, days: Query['days'], zone: string): void {
  for (const [day, instant] of Object.entries(days)) {
    const at = row[instant];
    row[day] = typeof at === 'string' ? dayOf(Date.parse(at), zone) : null;
  }
}
