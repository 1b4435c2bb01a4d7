import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { holds } from '../../tests/harness/property.ts';
import { writerOf } from './format.ts';
import { type Columns, type JoinedRow, joinedWriter, joinRows } from './joined-rows.ts';

const columns: Columns = {
  first: 'text',
  number: 'plain',
  tags: 'list',
  at: 'plain',
  day: { dayOf: 'at' },
  second: 'text',
  yes: 'boolean',
};

const signs = fc.constantFrom(
  ...[
    '=',
    '-',
    '"',
    ',',
    '\\',
    '\n',
    '\r',
    '\t',
    ' ',
    "'",
    '{',
    '}',
    '(',
    ')',
    '|',
    'x',
    '客',
    '　',
    '＝',
    '\u00a0',
    '\x1f',
  ],
);
const text = fc.array(signs, { maxLength: 6 }).map((list) => list.join(''));
const row = fc.record({
  first: fc.option(text),
  number: fc.option(fc.integer()),
  tags: fc.array(text, { maxLength: 3 }),
  at: fc.option(fc.constantFrom('2026-02-28T15:59:59.999Z', '2026-02-28T16:00:00.000Z')),
  second: fc.option(text),
  yes: fc.boolean(),
});

test('joined rows with any texts and lists are the lines of the same rows', async (t) => {
  const { sql } = await testDatabase(t);
  const lines = joinedWriter(columns, 'Asia/Taipei');
  const writer = writerOf('csv', Object.keys(columns), { bom: false });
  await holds(
    t,
    fc.asyncProperty(row, async ({ first, number, tags, at, second, yes }) => {
      const rows = (await sql.begin(
        (tx) =>
          tx`${joinRows(
            tx,
            columns,
            tx`
            select ${first}::text as first, ${number}::bigint as number, ${tags}::text[] as tags, ${at}::text as at,
              null as day, ${second}::text as second, ${yes}::boolean as yes`,
          )}`,
      )) as unknown as JoinedRow[];
      const day = at === null ? null : at.startsWith('2026-02-28T16') ? '2026-03-01' : '2026-02-28';
      assert.equal(lines(rows), writer.lines([{ first, number, tags, at, day, second, yes }]));
    }),
  );
});
