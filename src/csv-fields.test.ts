import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../tests/harness/property.ts';
import { guardFormula, joinList, readGuarded, splitList } from './csv-fields.ts';

const signs = fc.constantFrom(
  "'",
  '=',
  '+',
  '-',
  '@',
  '\t',
  '\r',
  '\n',
  '＝',
  '＋',
  '－',
  '＠',
  '|',
  '\\',
  'a',
  '客',
);
const texts = fc.array(signs, { maxLength: 6 }).map((parts) => parts.join(''));

test('no guarded text begins with a formula sign, and each is read back exactly', async (t) => {
  await holds(
    t,
    fc.property(texts, (text) => {
      assert.doesNotMatch(guardFormula(text), /^[=+\-@\t\r\n＝＋－＠]/);
      assert.equal(readGuarded(guardFormula(text)), text);
    }),
  );
  assert.equal(guardFormula("=cmd|'/C calc'!A0"), "'=cmd|'/C calc'!A0");
  assert.equal(guardFormula("'quoted'"), "'quoted'");
  assert.equal(readGuarded("'quoted'"), "'quoted'");
});

test('a list with any entries is read back exactly', async (t) => {
  const entries = texts.map((text) => text.trim()).filter((text) => text !== '');
  await holds(
    t,
    fc.property(fc.array(entries, { maxLength: 4 }), (list) => {
      assert.deepEqual(splitList(joinList(list)), list);
    }),
  );
  assert.equal(joinList(['VIP', 'a|b', 'c\\d']), 'VIP|a\\|b|c\\\\d');
  assert.deepEqual(splitList(' VIP | 新客 || '), ['VIP', '新客']);
  assert.deepEqual(splitList(''), []);
  assert.deepEqual(splitList('a\\'), ['a\\']);
});
