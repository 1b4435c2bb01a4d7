/**
 * Rows of a query as CSV. PostgreSQL joins the columns of a row to one text, its own form of a row, because a value for each column
 * costs this process five times as much. Most lines are then complete. The others are split and written field by field (format.ts).
 *
 *     PostgreSQL's row    (Ada,line,"C,1",,"say ""hi""",{VIP})
 *     CSV                 Ada,line,"C,1",,"say ""hi""",VIP
 */
import { parse as parseList } from 'postgres-array';
import type { Fragment, Transaction } from '../database/client.ts';
import { dayOf } from '../time.ts';
import { toField } from './format.ts';

/**
 * How a column is written. `plain`: as PostgreSQL prints it, which CSV never quotes or guards. `text`, `list`: any content. `dayOf`:
 * computed, the day in the bot's zone of the instant in another column; null in the query.
 */
export type ColumnKind = 'plain' | 'boolean' | 'text' | 'list' | { dayOf: string };
export type Columns = Readonly<Record<string, ColumnKind>>;

/** A row of `joinRows`: joined fields, and between them the instants of days. */
export type JoinedRow = Record<string, string | null>;

/** Found in every row whose two forms differ: quoted fields, lists, formulas, and spaces outside of ASCII. */
const special = /"|(?:^|,)(?:[\s{]|'*[=+\-@＝＋－＠])|\s(?:$|,)/;
/** A field of PostgreSQL's row after a comma. In quotes, `"` and `\` are doubled. */
const joinedField = /,(?:"((?:[^"\\]|""|\\\\)*)"|([^,]*))/g;

/** The query, with the fields of each row joined. */
export function joinRows(tx: Transaction, columns: Columns, query: Fragment): Fragment {
  const parts = partsOf(columns).map(({ sql }, index) => `${sql} as part_${index}`);
  return tx`select ${tx.unsafe(parts.join(', '))} from (${query}) joined`;
}

type Part = { sql: string; isDay: boolean };

function partsOf(columns: Columns): Part[] {
  const parts: Part[] = [];
  let fields: string[] = [];
  const endFields = () => {
    if (fields.length > 0) parts.push({ sql: `row(${fields.join(', ')})::text`, isDay: false });
    fields = [];
  };
  for (const [name, kind] of Object.entries(columns)) {
    // An empty list is an empty field, as null is.
    if (kind === 'list') fields.push(`nullif(${name}, '{}')`);
    else if (kind === 'boolean') fields.push(`${name}::text`);
    else if (typeof kind === 'string') fields.push(name);
    else {
      endFields();
      parts.push({ sql: kind.dayOf, isDay: true });
    }
  }
  endFields();
  return parts;
}

/** Returns the writer of joined rows as lines. */
export function joinedWriter(columns: Columns, zone: string): (rows: readonly JoinedRow[]) => string {
  const kinds = Object.values(columns);
  const parts = partsOf(columns).map(({ isDay }, index) => ({ name: `part_${index}`, isDay }));
  const textOf = (part: string | null = null, isDay: boolean) =>
    isDay ? (toDay(part, zone) ?? '') : (part ?? '').slice(1, -1);
  const toJoined = (row: JoinedRow) => parts.map(({ name, isDay }) => textOf(row[name], isDay)).join(',');
  return (rows) => rows.map((row) => `${toLine(toJoined(row), kinds)}\n`).join('');
}

/** The day of an instant (ISO 8601) in the zone; null: none. By this process's calendar, as stored days: PostgreSQL's may be older. */
export function toDay(instant: string | null, zone: string): string | null {
  return instant === null ? null : dayOf(Date.parse(instant), zone);
}

function toLine(joined: string, kinds: readonly ColumnKind[]): string {
  if (!special.test(joined)) return joined;
  const fields = `,${joined}`.matchAll(joinedField);
  return Array.from(fields, ([, quoted, bare], index) =>
    toCsvField(quoted?.replace(/""|\\\\/g, ([sign = '']) => sign) ?? bare ?? '', kinds[index]),
  ).join(',');
}

function toCsvField(text: string, kind: ColumnKind | undefined): string {
  if (kind === 'text') return toField(text);
  return kind === 'list' && text !== '' ? toField(parseList(text)) : text;
}
