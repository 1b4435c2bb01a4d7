/**
 * Rows as a table within a statement, so that one statement reads or writes many of them.
 *
 *     from ${rowTable(sql, 'new', spans, {
 *       contact_id: ['text', (span) => span.contactId],
 *       starts_at: ['timestamptz', (span) => span.from],
 *     })}
 *
 * Rows that belong to bots are inserted from `rowsOfBots`, and look-ups compare with `botOf`: then the statement names its bot if it has
 * only one (docs/decisions/0016-the-inbox-is-not-distributed.md).
 *
 * Each column is sent as one list (lists.ts). A `timestamptz` is given in ms. Names become part of the statement's text: write
 * them in the code, never take them from input.
 */
import type { Fragment, Queryable } from './client.ts';
import { booleanList, numberList, textList } from './lists.ts';

/** The PostgreSQL type of a column, and its value in a row. */
export type Column<Row> =
  | readonly [type: 'text' | 'date' | 'tid', value: (row: Row, index: number) => string | null]
  | readonly [
      type: 'bigint' | 'integer' | 'smallint' | 'timestamptz',
      value: (row: Row, index: number) => number | null,
    ]
  | readonly [type: 'boolean', value: (row: Row, index: number) => boolean];

/** The rows as a table called `name`, for `from`, `using` or `join`. No rows make an empty table. */
export function rowTable<Row>(
  sql: Queryable,
  name: string,
  list: readonly Row[],
  columns: Readonly<Record<string, Column<Row>>>,
): Fragment {
  const types = Object.entries(columns).map(([column, [type]]) => [column, type] as const);
  const lists = Object.values(columns).map((column, index) => toList(list, column, index > 0));
  return sql(template(name, types), ...lists);
}

type OfBot = { readonly botId: string };

/**
 * The rows as a table for `insert … select`. `columns` begins with `bot_id`. Rows of one bot are joined with its row of `bots`, so that
 * Citus sends the statement to the node of the bot; a bot that does not exist has no rows then.
 */
export function rowsOfBots<Row extends OfBot>(
  sql: Queryable,
  name: string,
  list: readonly Row[],
  columns: Readonly<Record<string, Column<Row>>>,
): Fragment {
  const botId = onlyBot(list);
  if (botId === undefined) return rowTable(sql, name, list, columns);
  const { bot_id: _, ...others } = columns;
  return rowsOfBot(sql, name, botId, { list, columns: others });
}

/** The same for rows of one bot, without the column `bot_id`, which becomes the first one. */
export function rowsOfBot<Row>(
  sql: Queryable,
  name: string,
  botId: string,
  { list, columns }: { list: readonly Row[]; columns: Readonly<Record<string, Column<Row>>> },
): Fragment {
  return sql`(
    select bots.bot_id, sent.* from bots cross join ${rowTable(sql, 'sent', list, columns)} where bots.bot_id = ${botId}
  ) as ${sql.unsafe(name)}`;
}

/** The bot of a row of the table `name`: a parameter if all rows have the same one, otherwise the column `bot_id`. */
export function botOf(sql: Queryable, name: string, list: readonly OfBot[]): Fragment {
  const botId = onlyBot(list);
  return botId === undefined ? sql.unsafe(`${name}.bot_id`) : sql`${botId}::text`;
}

/**
 * The same for `update … from` and `delete … using`. Plain PostgreSQL compares the columns: with a value it plans the join so that a
 * batch of one bot costs it a third more.
 */
export function changedBotOf(sql: Queryable, name: string, list: readonly OfBot[]): Fragment {
  return onCluster ? botOf(sql, name, list) : sql.unsafe(`${name}.bot_id`);
}

let onCluster = false;

/** True if the database of this process has Citus. */
export function isOnCluster(): boolean {
  return onCluster;
}

/** Makes later statements of this process ones for a cluster (cluster.ts), or for plain PostgreSQL. */
export function useCluster(isCluster = true): void {
  onCluster = isCluster;
}

function onlyBot(list: readonly OfBot[]): string | undefined {
  const first = list[0]?.botId;
  return list.every(({ botId }) => botId === first) ? first : undefined;
}

/** The columns, for the list of an `insert` or a `select`. */
export function columnNames(sql: Queryable, columns: readonly string[]): Fragment {
  return sql.unsafe(columns.join(', '));
}

type ColumnTypes = readonly (readonly [column: string, type: Column<unknown>[0]])[];

/** The client remembers every template that it has seen, so each text must be one object. */
const templates = new Map<string, TemplateStringsArray>();

function template(name: string, types: ColumnTypes): TemplateStringsArray {
  const key = `${name} ${types.join()}`;
  const existing = templates.get(key);
  if (existing) return existing;
  const strings = statementText(name, types).split('?');
  const added = Object.assign(strings, { raw: strings });
  templates.set(key, added);
  return added;
}

/** With `?` where a list goes. */
function statementText(name: string, types: ColumnTypes): string {
  const isTime = (type: string) => type === 'timestamptz';
  const names = types.map(([column]) => column).join(', ');
  const lists = types.map(([, type]) => `?::${isTime(type) ? 'bigint' : type}[]`).join(', ');
  if (!types.some(([, type]) => isTime(type))) return `unnest(${lists}) as ${name} (${names})`;
  const values = types.map(([column, type]) =>
    isTime(type) ? `to_timestamp(${column} / 1000::float8) as ${column}` : column,
  );
  return `(select ${values.join(', ')} from unnest(${lists}) as sent (${names})) as ${name}`;
}

function toList<Row>(list: readonly Row[], [type, value]: Column<Row>, mayBeShort: boolean): string {
  switch (type) {
    case 'text':
    case 'date':
    case 'tid':
      return emptyIfNulls(list.map(value), textList, mayBeShort);
    case 'boolean':
      return booleanList(list.map(value));
    default:
      return emptyIfNulls(list.map(value), numberList, mayBeShort);
  }
}

/** PostgreSQL fills a shorter list with nulls, so a list of nulls is sent empty. The first list sets the number of rows. */
function emptyIfNulls<Value>(
  values: readonly (Value | null)[],
  toText: (values: readonly (Value | null)[]) => string,
  mayBeShort: boolean,
): string {
  return mayBeShort && values.every((value) => value === null) ? '{}' : toText(values);
}
