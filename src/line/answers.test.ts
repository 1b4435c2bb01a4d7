import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveredMessages, readAnswer } from './answers.ts';

const now = Date.parse('2026-03-10T14:59:59.999Z'); // The last instant of 2026-03-10 in UTC+9.
const ready = { status: 'ready', followers: 7620, targetedReaches: 5848, blocks: 237 };

function read(kind: unknown, value: unknown, day: unknown = '20260309') {
  const answer = readAnswer({ kind, day, value }, { now });
  assert.ok('status' in answer);
  return answer;
}

test('answers of LINE are accepted unchanged', () => {
  assert.deepEqual(read('followers', ready), {
    kind: 'followers',
    day: '2026-03-09',
    status: 'ready',
    value: ready,
  });
  const unready = { status: 'unready', followers: null, targetedReaches: null, blocks: null };
  assert.equal(read('followers', unready).status, 'unready');
  assert.equal(read('followers', { status: 'out_of_service' }).status, 'out_of_service');
  assert.equal(read('delivery', { status: 'ready', autoResponse: 15, apiReply: 1 }).status, 'ready');
  const newer = { status: 'ready', stepMessage: 3, label: 'something new', apiPush: null };
  assert.deepEqual(read('delivery', newer).value, newer);
  assert.equal(read('quota', { type: 'limited', value: 3000, totalUsage: 12 }).status, 'ready');
  assert.equal(read('quota', { type: 'none', totalUsage: 12 }).status, 'ready');
  assert.equal(read('demographic', { available: false, genders: [] }).status, 'ready');
  const genders = [{ gender: 'male', percentage: 37.6 }];
  assert.equal(read('demographic', { available: true, genders, ages: null }).status, 'ready');
});

test('a day is accepted in both formats, up to one day after now in UTC+9', () => {
  assert.equal(read('followers', ready, '2026-03-09').day, '2026-03-09');
  assert.equal(read('followers', ready, '20260311').day, '2026-03-11');
  for (const day of ['20260312', '2026-3-9', '20260231', '', 20260309, null]) {
    assert.throws(() => read('followers', ready, day), { code: 'INPUT_INVALID', message: /^day must/ });
  }
});

test('an answer without the fields of its figures is rejected with the expected form', () => {
  const rejected: [unknown, unknown, RegExp][] = [
    ['follower', ready, /^kind must be one of followers, delivery/],
    ['followers', null, /^value must be an object/],
    ['followers', [ready], /^value must be an object/],
    ['followers', { ...ready, status: 'soon' }, /^value.status must be one of ready, unready/],
    ['followers', { ...ready, blocks: null }, /^value.blocks must be a whole number/],
    ['followers', { ...ready, followers: '7620' }, /^value.followers must be a whole number/],
    ['followers', { ...ready, note: 'a\u0000b' }, /NUL/],
    ['delivery', { status: 'ready', apiPush: '7' }, /^value.apiPush must be a whole number/],
    ['delivery', { status: 'ready', stepMessage: 1.5 }, /^value.stepMessage must be a whole number/],
    ['delivery', { status: 'ready', chat: -1 }, /^value.chat must be a whole number/],
    ['quota', { type: 'limited', totalUsage: 12 }, /^value.value must be a whole number/],
    ['quota', { totalUsage: 12 }, /^value.type must be/],
    ['quota', { type: 'none' }, /^value.totalUsage must be a whole number from 0, not nothing/],
    ['demographic', { genders: [] }, /^value.available must be true or false/],
    ['demographic', { available: true, ages: [{ age: 'from50' }] }, /^value.ages must be an array/],
  ];
  for (const [kind, value, message] of rejected) {
    assert.throws(() => read(kind, value), { code: 'INPUT_INVALID', message });
  }
});

test('the messages of a delivery answer are the sum of all its number fields, including later additions', () => {
  const value = { status: 'ready', broadcast: 100, apiPush: 20, apiReply: null, stepMessage: 3, label: '4' };
  assert.equal(deliveredMessages({ status: 'ready', value }), 123);
  assert.equal(deliveredMessages({ status: 'unready', value: { status: 'unready', broadcast: 9 } }), 0);
});
