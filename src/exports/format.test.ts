import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { writerOf } from './format.ts';

const row = {
  n: -5,
  big: 9_007_199_254_740_991,
  text: '-5',
  yes: true,
  no: false,
  none: null,
  tags: ['a|b', '=c'],
};
const columns = Object.keys(row);

test('CSV writes numbers unchanged, guards texts that a spreadsheet would run, and leaves null empty', () => {
  const { head, lines } = writerOf('csv', columns, { bom: false });
  assert.equal(head, 'n,big,text,yes,no,none,tags\n');
  assert.equal(lines([row]), "-5,9007199254740991,'-5,true,false,,a\\|b|=c\n");
  const list = writerOf('csv', ['tags'], { bom: true });
  assert.equal(list.head, '\uFEFFtags\n');
  assert.equal(list.lines([{ tags: ['=1+1', 'x'] }, { tags: [] }]), "'=1+1|x\n\n");
});

test('NDJSON has every column with its type and no guards', () => {
  const { head, lines } = writerOf('ndjson', columns, { bom: true });
  assert.equal(head, '');
  assert.equal(lines([row, row]), `${JSON.stringify(row)}\n${JSON.stringify(row)}\n`);
});

test('any text is one field that starts no formula and keeps its surrounding spaces', async (t) => {
  const parts = fc.constantFrom('=', '"', ',', '\n', '\r', ' ', "'", '@', 'x', '客', '\t');
  const text = fc.array(parts, { maxLength: 6 }).map((list) => list.join(''));
  const { lines } = writerOf('csv', ['a', 'b'], { bom: false });
  await holds(
    t,
    fc.property(text, text, (a, b) => {
      const records = parse(lines([{ a, b: `${b}.` }]), { trim: true });
      assert.equal(records.length, 1);
      const [[first = '', second = '']] = records as [string[]];
      assert.doesNotMatch(first, /^[=@\t\r\n]/);
      assert.equal(first.replace(/^'(?='*[=@\t\r\n])/, ''), a);
      assert.equal(second.replace(/^'(?='*[=@\t\r\n])/, ''), `${b}.`);
    }),
  );
});
