import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openedOnce } from './opened-boxes.ts';

const place = { botId: 'A', platform: 'line', column: 'secret' };

function countedOpener() {
  const calls: string[] = [];
  const opener = openedOnce({
    unseal(box, { botId }) {
      calls.push(`${botId} ${box[0]}`);
      if (box[0] === 0) throw new Error('another key');
      return `content ${box[0]}`;
    },
  });
  return { opener, calls };
}

test('a box is opened once for each place, and a changed box is opened again', () => {
  const { opener, calls } = countedOpener();
  assert.equal(opener.unseal(Buffer.of(1), place), 'content 1');
  assert.equal(opener.unseal(Buffer.of(1), place), 'content 1');
  assert.equal(opener.unseal(Buffer.of(2), place), 'content 2');
  opener.unseal(Buffer.of(1), { ...place, botId: 'B' });
  assert.deepEqual(calls, ['A 1', 'A 2', 'B 1']);
});

test('a box that does not open is tried again', () => {
  const { opener, calls } = countedOpener();
  assert.throws(() => opener.unseal(Buffer.of(0), place));
  assert.throws(() => opener.unseal(Buffer.of(0), place));
  assert.deepEqual(calls, ['A 0', 'A 0']);
});
