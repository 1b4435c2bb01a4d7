import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { readGuarded } from '../../src/csv-fields.ts';
import { holds } from '../../tests/harness/property.ts';
import { toCsv } from './csv.ts';

test('a CSV parser reads back every field, and no text is a formula', async (t) => {
  const field = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('=1+1', '@x', '-1', 'a,"b"\r\nc'));
  const table = fc.array(fc.tuple(field, fc.integer(), fc.option(fc.double({ noNaN: true }))), {
    minLength: 1,
  });
  await holds(
    t,
    fc.property(table, (rows) => {
      const read: string[][] = parse(toCsv(rows), { bom: true, record_delimiter: '\r\n' });
      assert.deepEqual(
        read.map(([text = '', ...numbers]) => [readGuarded(text), ...numbers]),
        rows.map(([text, whole, number]) => [text, String(whole), number === null ? '' : String(number)]),
      );
      for (const [text] of read) assert.doesNotMatch(text ?? '', /^[=+\-@\t\r＝＋－＠]/);
    }),
  );
});

test('lines end as in RFC 4180, and a byte order mark identifies UTF-8', () => {
  assert.equal(
    toCsv([
      ['日', 'LINE'],
      ['2026-03-01', 12],
    ]),
    '\uFEFF日,LINE\r\n2026-03-01,12\r\n',
  );
});
