import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readId, readMs, readWord, requireId, Unreadable } from './delivery.ts';

test('an id is read unchanged, and is null when absent or empty', () => {
  for (const id of ['U1', '識別子', '\u{1f600}', 'x'.repeat(300)]) assert.equal(readId(id, 'id'), id);
  for (const none of [undefined, null, '']) assert.equal(readId(none, 'id'), null);
  assert.throws(() => requireId('', 'userId'), { message: 'no userId' });
});

test('an id that PostgreSQL cannot store is unreadable, and the message does not repeat it', () => {
  for (const id of ['private\0', 'private\ud800', `private${'x'.repeat(300)}`, 5, true, ['private'], {}]) {
    assert.throws(
      () => readId(id, 'source.userId'),
      (error) => error instanceof Unreadable && !error.message.includes('private'),
    );
  }
});

test('milliseconds are whole and in the years 2000 to 2199', () => {
  assert.equal(readMs(946_684_800_000, 'timestamp'), 946_684_800_000);
  assert.equal(readMs(7_258_118_399_999, 'timestamp'), 7_258_118_399_999);
  for (const at of [946_684_799_999, 7_258_118_400_000, 1772434837000.5, '1772434837000', null, Number.NaN]) {
    assert.throws(() => readMs(at, 'timestamp'), Unreadable);
  }
});

test('a word has at most 64 characters, none of them a control character or half a pair', () => {
  assert.equal(readWord('text'), 'text');
  assert.equal(readWord('te\0x\u202et\n'), 'text');
  assert.equal(readWord(`${'x'.repeat(63)}\u{1f600}`), 'x'.repeat(63));
  for (const none of ['', '\0', 5, null, undefined, {}]) assert.equal(readWord(none), null);
});
