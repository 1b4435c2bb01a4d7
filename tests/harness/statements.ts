/**
 * Checks that each statement of Shoal over distributed tables names its bot as a value and uses no queue, as Citus needs it
 * (docs/decisions/0016-the-inbox-is-not-distributed.md).
 *
 * The statements are read from the messages that this process sends to PostgreSQL, so a test file checks all statements that it causes.
 */
import { globSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { queueTables } from '../../src/database/cluster.ts';
import { manyBotStatements } from './many-bot-statements.ts';

const root = new URL('../..', import.meta.url);
const sent = new Set<string>();

/** Begins to record the statements of this process. */
export function recordStatements(): void {
  const { write } = Socket.prototype;
  Socket.prototype.write = function (this: Socket, ...parameters: Parameters<typeof write>) {
    const [chunk] = parameters;
    if (chunk instanceof Uint8Array)
      for (const text of parsedStatements(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
        sent.add(text);
    return Reflect.apply(write, this, parameters);
  } as typeof write;
}

const parseType = 'P'.charCodeAt(0);
const headerBytes = 5;

/** The texts in the Parse messages of PostgreSQL's protocol. Other data has none. */
function parsedStatements(data: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at + headerBytes < data.length; ) {
    const end = at + 1 + data.readInt32BE(at + 1);
    if (end <= at || end > data.length) break;
    if (data[at] === parseType) {
      const [, text = ''] = data.toString('utf8', at + headerBytes, end).split('\0');
      texts.push(text);
    }
    at = end;
  }
  return texts;
}

/** The recorded statements that Citus refuses or sends to all nodes, without those of tests, which also name tables by variables. */
export function statementsOfManyNodes(): string[] {
  const wrong = [...sent]
    .filter((text) => usesQueue(text) || (lacksBot(text) && !isException(text)))
    .map(toLine);
  if (wrong.length === 0) return [];
  const tests = globSync(['src/**/*.test.ts', 'tests/**/*.ts', 'simulator/**/*.test.ts'], { cwd: root })
    .map((file) => readFileSync(new URL(file, root), 'utf8'))
    .join('\n')
    .replaceAll(/\s+/g, ' ');
  return wrong.filter(
    (text) => !/ from "\w+"(?: \w+)?$/.test(text) && !tests.includes(text.split('$', 1)[0]?.trim() ?? ''),
  );
}

function isException(text: string): boolean {
  return manyBotStatements.some(({ statement }) => toLine(text).includes(statement));
}

function toLine(text: string): string {
  return text.replaceAll(/--.*/g, '').replaceAll(/\s+/g, ' ').trim();
}

/** The tables that are distributed: those whose primary key begins with the bot, without the queues. */
const distributedTables = new Set(
  [
    ...readFileSync(new URL('tests/snapshots/schema.sql', root), 'utf8').matchAll(
      /^create table (\w+) \(\n([\s\S]*?)\n\);/gm,
    ),
  ].flatMap(([, name = '', columns = '']) =>
    /PRIMARY KEY \(bot_id\b/.test(columns) && !queueTables.includes(name) ? [name] : [],
  ),
);

/**
 * True if a sub-select, or the statement itself, uses a distributed table without a value for its bot. Statements with rows of several
 * bots are left out: a cluster gets them with one bot, as another statement.
 */
export function lacksBot(statement: string): boolean {
  const text = toLine(statement).replaceAll(/'(?:[^']|'')*'/g, "''");
  if (/ as "?\w+"? \((?:\w+, )*bot_id\b/.test(text)) return false;
  const insertsOfBot = /from bots cross join .*where bots\.bot_id = \$\d/.test(text);
  const ctes = new Set([...text.matchAll(/\b(\w+) as (?:materialized )?\(/g)].map(([, name = '']) => name));
  return scopesOf(text)
    .map((scope) => scope.trim())
    .some(
      (scope) =>
        usesDistributed(scope, ctes) &&
        !namesBot(scope) &&
        !(insertsOfBot && scope.startsWith('insert into')),
    );
}

/** True if a statement uses a distributed table and a queue, which is on the coordinator only. */
export function usesQueue(statement: string): boolean {
  const tables = tablesOf(toLine(statement).replaceAll(/'(?:[^']|'')*'/g, "''"));
  return (
    tables.some((name) => distributedTables.has(name)) && tables.some((name) => queueTables.includes(name))
  );
}

/** `ctes`: names of the statement's own that hide tables. */
function usesDistributed(scope: string, ctes: ReadonlySet<string>): boolean {
  return tablesOf(scope).some((name) => distributedTables.has(name) && !ctes.has(name));
}

function tablesOf(text: string): string[] {
  return [...text.matchAll(/\b(?:from|join|into|update|using) "?(\w+)"?/g)].map(([, name = '']) => name);
}

function namesBot(scope: string): boolean {
  return (
    /\bbot_id"? ?= ?\$\d/.test(scope) ||
    /\bbot_id = any ?\(\$/.test(scope) ||
    /^insert into "?\w+"?(?: as \w+)? ?\("?bot_id\b.*?(?:values ?\( ?|select )\$\d/.test(scope)
  );
}

/** The statement and its sub-selects, each without the ones within it. */
function scopesOf(text: string): string[] {
  const scopes: string[] = [];
  const open: { text: string; isScope: boolean }[] = [{ text: '', isScope: true }];
  for (const [index, part] of text.split(/([()])/).entries()) {
    const top = open.at(-1) as { text: string; isScope: boolean };
    if (part === '(')
      open.push({
        text: '',
        isScope: /^\s*(?:select|insert|update|delete|with|$)/.test(text.split(/([()])/)[index + 1] ?? ''),
      });
    else if (part === ')') {
      const closed = open.pop() as { text: string; isScope: boolean };
      const parent = open.at(-1);
      if (parent === undefined) return [text];
      if (closed.isScope) scopes.push(...closed.text.split(/ union(?: all)? /));
      parent.text += closed.isScope ? '()' : `(${closed.text})`;
    } else top.text += part;
  }
  return [...scopes, ...(open[0]?.text.split(/ union(?: all)? /) ?? [])];
}
