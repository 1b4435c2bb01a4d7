import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../platforms/event.ts';
import { chatMessages } from './new-messages.ts';

test('only messages that live-chat visitors wrote are reported as chat messages', () => {
  const message: Event = {
    platform: 'liveChat',
    key: 'message:01JNFXA2BCDEFGHJKMNPQRSTVW',
    kind: 'message-in',
    detail: null,
    contactId: 'ada',
    happenedAt: 5,
  };
  const others: Event[] = [
    { ...message, platform: 'line' },
    { ...message, kind: 'message-out' },
    { ...message, contactId: null },
  ];
  const changes = chatMessages([message, ...others]);
  assert.deepEqual(
    changes.map(({ type, contactId, at }) => ({ type, contactId, at })),
    [{ type: 'chat.message', contactId: 'ada', at: 5 }],
  );
});
