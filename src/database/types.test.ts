/**
 * Lists sent to and read from PostgreSQL.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { holds } from '../../tests/harness/property.ts';

const text = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
const instant = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2200-01-01') });
const object = fc.record({ text, number: fc.integer() }, { noNullPrototype: true });

/** Elements of lists that are sent and read back unchanged. */
const sent: Record<string, fc.Arbitrary<unknown>> = {
  text,
  varchar: fc.constantFrom('', 'null', 'NULL', '{', '}', ',', '"', '\\', ' ', "'", '值'),
  int2: fc.integer({ min: -32_768, max: 32_767 }),
  int4: fc.integer(),
  int8: fc.maxSafeInteger(),
  float4: fc.integer({ min: -1_000, max: 1_000 }).map((number) => number / 8),
  float8: fc.double({ noDefaultInfinity: true, noNaN: true }).filter((number) => !Object.is(number, -0)),
  uuid: fc.uuid(),
  numeric: fc.maxSafeInteger().map((number) => `${number}.25`),
  json: object,
  jsonb: object,
};

/** Elements of lists that are only read, in PostgreSQL's format. */
const read: Record<string, [fc.Arbitrary<unknown>, form: (value: never) => string]> = {
  bool: [fc.boolean(), (value: boolean) => (value ? 't' : 'f')],
  timestamptz: [instant, (value: Date) => value.toISOString()],
  date: [instant.map(dayStart), (value: Date) => value.toISOString().slice(0, 10)],
  bytea: [
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    (value: Buffer) => `\\x${value.toString('hex')}`,
  ],
};

function dayStart(at: Date): Date {
  return new Date(`${at.toISOString().slice(0, 10)}T00:00:00Z`);
}

test('lists are read back unchanged, including nulls', async (t) => {
  const { sql } = await testDatabase(t);
  for (const [type, element] of Object.entries(sent)) {
    await holds(
      t,
      fc.asyncProperty(fc.array(fc.option(element), { maxLength: 5 }), async (list) => {
        const [row] = await sql`select ${list as never}::${sql.unsafe(type)}[] as list`;
        assert.deepEqual(row?.list, list, type);
      }),
      { runs: 40 },
    );
  }
});

test('lists of booleans, times and bytes are converted', async (t) => {
  const { sql } = await testDatabase(t);
  for (const [type, [element, form]] of Object.entries(read)) {
    await holds(
      t,
      fc.asyncProperty(fc.array(fc.option(element), { maxLength: 5 }), async (list) => {
        const texts = list.map((value) => (value === null ? null : form(value as never)));
        const [row] = await sql`select ${texts}::text[]::${sql.unsafe(type)}[] as list`;
        assert.deepEqual(row?.list, list, type);
      }),
      { runs: 40 },
    );
  }
});

test('a list that contains undefined is not sent', async (t) => {
  const { sql } = await testDatabase(t);
  await assert.rejects(async () => sql`select ${['a', undefined as never]}::text[]`, /undefined/);
});
