/**
 * An exported table: named columns, and the rows of a bot in a fixed order.
 *
 * The names are the same in every format and in imported files. Instants are ISO 8601 texts in UTC with milliseconds; days are days
 * of the bot's zone.
 */
import type { Bot } from '../bots/bots.ts';
import type { ContactFilter } from '../contacts/filter.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import type { RecipientState } from '../sends/recipients.ts';
import { readBatches } from './cursor.ts';
import type { Row, Writer } from './format.ts';
import { type Columns, type JoinedRow, joinedWriter, joinRows, toDay } from './joined-rows.ts';

export type Scope = {
  bot: Bot;
  /** Days of the bot's zone, both included; null: no bound. */
  from: string | null;
  to: string | null;
  /** The same in ms: from `since` to before `until`. */
  since: number | null;
  until: number | null;
  /** For recipients: those of a send, and in a state; null: all. */
  sendId: number | null;
  state: RecipientState | null;
  /** For contacts: those that meet the filter, without deleted ones; null: all. */
  contacts: ContactFilter | null;
  /** ms */
  now: number;
};

export type Reading = { writer: Writer; sql: Sql; signal: AbortSignal };

/** Lines of a file. */
export type Piece = { rows: number; text: string };

export type Table = {
  /** In the order of the file. New columns are appended; existing ones keep their positions. */
  columns: readonly string[];
  /** True: rows describe single people. False: rows are counts. */
  isPersonal: boolean;
  /** The number of rows that `read` will yield. */
  count(tx: Transaction, scope: Scope): Promise<number>;
  /** The lines in pieces. `signal` ends the read; `sql` runs the cancellation on another connection. */
  read(tx: Transaction, scope: Scope, reading: Reading): AsyncIterable<Piece>;
};

export type Query = {
  /** By name, in the order of the file. */
  columns: Columns;
  /** `from … where …`: one row for each row of the export. */
  source(tx: Transaction, scope: Scope): Fragment;
  /** The whole query over the source, with all columns in order; computed days are null. */
  select(tx: Transaction, source: Fragment, scope: Scope): Fragment;
};

/** A personal table that is read by one query. */
export function tableOf({ columns, source, select }: Query): Table {
  return {
    columns: Object.keys(columns),
    isPersonal: true,
    async count(tx, scope) {
      const [row] = await tx<{ count: number }[]>`select count(*) as count ${source(tx, scope)}`;
      return row?.count ?? 0;
    },
    async *read(tx, scope, { writer, ...reading }) {
      const query = select(tx, source(tx, scope), scope);
      const { timeZone } = scope.bot;
      if (writer.format === 'csv') {
        const lines = joinedWriter(columns, timeZone);
        for await (const rows of readBatches<JoinedRow>(tx, joinRows(tx, columns, query), reading))
          yield { rows: rows.length, text: lines(rows) };
        return;
      }
      for await (const rows of readBatches<Row>(tx, query, reading)) {
        for (const row of rows) addDays(row, columns, timeZone);
        yield { rows: rows.length, text: writer.lines(rows) };
      }
    },
  };
}

/** For queries: an instant as text. The session's zone is UTC (client.ts). */
export function isoOf(sql: Queryable, column: string): Fragment {
  return sql`to_char(${sql(column)}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** For queries: true if an instant is in the scope. */
export function isWithin(
  sql: Queryable,
  column: string,
  { since, until }: Pick<Scope, 'since' | 'until'>,
): Fragment {
  return sql`${since === null ? sql`true` : sql`${sql(column)} >= ${new Date(since)}`}
    and ${until === null ? sql`true` : sql`${sql(column)} < ${new Date(until)}`}`;
}

function addDays(row: Row, columns: Columns, zone: string): void {
  for (const [name, kind] of Object.entries(columns)) {
    if (typeof kind === 'string') continue;
    const instant = row[kind.dayOf];
    row[name] = toDay(typeof instant === 'string' ? instant : null, zone);
  }
}
