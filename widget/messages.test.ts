import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../tests/harness/property.ts';
import {
  countUnread,
  lastSeenOwn,
  mergeMessages,
  newestOfBusiness,
  openQuickReplies,
  stillUnsent,
  type Unsent,
} from './messages.ts';
import type { Message } from './protocol.ts';

const message = (
  sequence: number,
  from: Message['from'] = 'visitor',
  more: Partial<Message> = {},
): Message => ({
  messageId: `id${sequence}`,
  sequence,
  from,
  agentName: null,
  kind: 'text',
  text: `text ${sequence}`,
  image: null,
  quickReplies: [],
  sentAt: '2026-03-15T04:00:00Z',
  ...more,
});
const unsent = (messageId: string): Unsent => ({
  ...{ messageId, state: 'sending', writtenAt: 0 },
  content: { kind: 'text', text: 'x' },
});

test('messages in any order and with repetitions are merged into one ordered list', async (t) => {
  const some = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 });
  await holds(
    t,
    fc.property(fc.array(some, { maxLength: 8 }), (bundles) => {
      const merged = bundles.reduce<readonly Message[]>(
        (merged, bundle) =>
          mergeMessages(
            merged,
            bundle.map((sequence) => message(sequence)),
          ),
        [],
      );
      const expected = [...new Set(bundles.flat())].sort((one, other) => one - other);
      assert.deepEqual(
        merged.map(({ sequence }) => sequence),
        expected,
      );
    }),
  );
});

test('existing messages stay the same objects, so that they do not render again', () => {
  const existing = [message(1), message(3)];
  assert.equal(mergeMessages(existing, [message(3), message(1)]), existing);
  const merged = mergeMessages(existing, [message(2), message(1)]);
  assert.deepEqual(
    [merged[0] === existing[0], merged[1]?.sequence, merged[2] === existing[1]],
    [true, 2, true],
  );
});

test('a confirmed message is no longer unsent', () => {
  const waiting = [unsent('id1'), unsent('id2')];
  assert.deepEqual(stillUnsent(waiting, [message(1)]), [waiting[1]]);
  assert.equal(stillUnsent(waiting, [message(9)]), waiting);
});

test("unread are the business's messages after the last seen one, never the visitor's own", () => {
  const list = [message(1, 'agent'), message(2), message(3, 'bot'), message(5, 'agent')];
  assert.deepEqual(
    [0, 1, 3, 5].map((seen) => countUnread(list, seen)),
    [3, 2, 1, 0],
  );
  assert.deepEqual([newestOfBusiness(list), newestOfBusiness([message(1)])], [5, 0]);
});

test('the last own message that the business has seen is marked', () => {
  const list = [message(1), message(2), message(3, 'agent'), message(4)];
  assert.deepEqual(
    [0, 1, 3, 4].map((seen) => lastSeenOwn(list, seen)),
    [null, 'id1', 'id2', 'id4'],
  );
});

test('only the last message offers quick replies, until the visitor writes', () => {
  const question = message(1, 'bot', { quickReplies: ['yes', 'no'] });
  assert.deepEqual(openQuickReplies([question], []), ['yes', 'no']);
  assert.deepEqual(openQuickReplies([question], [unsent('a')]), []);
  assert.deepEqual(openQuickReplies([question, message(2)], []), []);
  assert.deepEqual(openQuickReplies([question, message(2, 'agent')], []), []);
});
