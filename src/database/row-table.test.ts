/** Rows that are sent with a statement. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { holds } from '../../tests/harness/property.ts';
import { rowTable } from './row-table.ts';

const text = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'null', '"', '\\', '{}', ' a ', ',', '\n'))
  .filter((value) => !value.includes('\0') && value.isWellFormed());

const row = fc.record(
  {
    words: fc.option(text),
    size: fc.option(fc.maxSafeInteger()),
    isLast: fc.boolean(),
    at: fc.option(fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2199, 11, 31) })),
  },
  { noNullPrototype: true },
);

test('rows arrive in PostgreSQL as they were sent, in order, with nulls and times to the millisecond', async (t) => {
  const { sql } = await testDatabase(t);
  await holds(
    t,
    fc.asyncProperty(fc.array(row), async (sent) => {
      const received = await sql`
        select words, size::float8 as size, is_last as "isLast", (extract(epoch from at) * 1000)::float8 as at
        from ${rowTable(sql, 'sent_rows', sent, {
          words: ['text', ({ words }) => words],
          size: ['bigint', ({ size }) => size],
          is_last: ['boolean', ({ isLast }) => isLast],
          at: ['timestamptz', ({ at }) => at],
          place: ['integer', (_, index) => index],
        })} order by place`;
      assert.deepEqual(
        received.map((one) => ({ ...one })),
        sent,
      );
    }),
  );
});

test('the same columns make the same statement, whatever the rows are', async (t) => {
  const { sql } = await testDatabase(t);
  const textOf = async (days: readonly string[]) => {
    const { string } =
      await sql`select day::text from ${rowTable(sql, 'days', days, { day: ['date', (day) => day] })}`.describe();
    return string;
  };
  assert.equal(await textOf(['2026-03-01', '2026-03-02']), await textOf([]));
});
