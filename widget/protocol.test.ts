import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFrame, readMessage, readMessagePage, readSession } from './protocol.ts';

const message = {
  ...{ messageId: '01J', sequence: 3, from: 'agent', agentName: 'Mei', kind: 'text', text: 'hello' },
  ...{ image: null, quickReplies: ['yes'], sentAt: '2026-03-15T04:00:00Z' },
};

test('a message of the expected shape is read, any other is ignored', () => {
  assert.deepEqual(readMessage(message), message);
  const image = { ...message, kind: 'image', text: null, image: { type: 'image/png', bytes: 12 } };
  assert.deepEqual(readMessage(image), image);
  for (const wrong of [
    null,
    [],
    'x',
    { ...message, from: 'system' },
    { ...message, kind: 'video' },
    { ...message, sequence: '3' },
  ])
    assert.equal(readMessage(wrong), null);
  const page = readMessagePage({ messages: [message, 7], hasMore: true, seenByBusiness: 2 });
  assert.deepEqual(
    [page?.messages.length, page?.hasMore, page?.seenByBusiness, page?.seenByVisitor],
    [1, true, 2, 0],
  );
});

test('unknown frames and invalid JSON are ignored', () => {
  assert.deepEqual(readFrame('{"type":"ready","heartbeatSeconds":30}'), {
    type: 'ready',
    heartbeatSeconds: 30,
  });
  assert.deepEqual(readFrame(JSON.stringify({ type: 'message', message })), { type: 'message', message });
  for (const text of ['', 'x', '[]', '{"type":"news"}', '{"type":"message","message":{}}'])
    assert.equal(readFrame(text), null);
});

test('a session without a token is invalid', () => {
  assert.equal(readSession({ visitorId: 'v' }), null);
  const session = readSession({
    visitorToken: 't',
    visitorId: 'v',
    name: 'Shop',
    lastSequence: 4,
    unread: 1,
  });
  assert.deepEqual(session, {
    visitorToken: 't',
    visitorId: 'v',
    name: 'Shop',
    lastSequence: 4,
    imagesAllowed: true,
  });
});
