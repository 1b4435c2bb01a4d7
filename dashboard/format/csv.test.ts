import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { readGuarded } from '../../src/csv-fields.ts';
import { holds } from '../../tests/harness/property.ts';
import { readCsv, toCsv } from './csv.ts';

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

test('the first records of a file are those that a CSV parser reads', async (t) => {
  const field = fc.oneof(fc.string(), fc.constantFrom('a,b', 'a"b', 'a\r\nb', '鯨'));
  const row = fc.tuple(fc.string({ minLength: 1 }), field, field);
  const table = fc.array(row, { minLength: 1, maxLength: 5 });
  await holds(
    t,
    fc.property(table, fc.integer({ min: 1, max: 6 }), (rows, count) => {
      const text = toCsv(rows);
      const read: string[][] = parse(text, { bom: true, record_delimiter: '\r\n' });
      assert.deepEqual(readCsv(text, count), read.slice(0, count));
    }),
  );
  assert.deepEqual(readCsv('a,b\n1,2\n3,"4', 5), [
    ['a', 'b'],
    ['1', '2'],
  ]);
  assert.deepEqual(readCsv('a\n\nb', 5), [['a'], ['b']]);
  assert.deepEqual(readCsv('', 5), []);
});
