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

test('however messages come, in any order and any number of times, each is there once and in the order of its sequence', async (t) => {
  const some = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 });
  await holds(
    t,
    fc.property(fc.array(some, { maxLength: 8 }), (bundles) => {
      const merged = bundles.reduce<readonly Message[]>(
        (known, bundle) =>
          mergeMessages(
            known,
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

test('what was there before stays the same object, so that nothing is drawn anew for nothing', () => {
  const known = [message(1), message(3)];
  assert.equal(mergeMessages(known, [message(3), message(1)]), known);
  const merged = mergeMessages(known, [message(2), message(1)]);
  assert.deepEqual([merged[0] === known[0], merged[1]?.sequence, merged[2] === known[1]], [true, 2, true]);
});

test('what the server confirms, by whichever way, is no longer unsent', () => {
  const waiting = [unsent('id1'), unsent('id2')];
  assert.deepEqual(stillUnsent(waiting, [message(1)]), [waiting[1]]);
  assert.equal(stillUnsent(waiting, [message(9)]), waiting);
});

test("unread are the business's messages after what was seen; one's own never are", () => {
  const list = [message(1, 'agent'), message(2), message(3, 'bot'), message(5, 'agent')];
  assert.deepEqual(
    [0, 1, 3, 5].map((seen) => countUnread(list, seen)),
    [3, 2, 1, 0],
  );
  assert.deepEqual([newestOfBusiness(list), newestOfBusiness([message(1)])], [5, 0]);
});

test('seen stands at the last own message that the business has seen', () => {
  const list = [message(1), message(2), message(3, 'agent'), message(4)];
  assert.deepEqual(
    [0, 1, 3, 4].map((seen) => lastSeenOwn(list, seen)),
    [null, 'id1', 'id2', 'id4'],
  );
});

test('quick replies are offered under the last message only, until something is written', () => {
  const asked = message(1, 'bot', { quickReplies: ['yes', 'no'] });
  assert.deepEqual(openQuickReplies([asked], []), ['yes', 'no']);
  assert.deepEqual(openQuickReplies([asked], [unsent('a')]), []);
  assert.deepEqual(openQuickReplies([asked, message(2)], []), []);
  assert.deepEqual(openQuickReplies([asked, message(2, 'agent')], []), []);
});
