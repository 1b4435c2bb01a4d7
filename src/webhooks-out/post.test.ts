import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Change } from './outbox.ts';
import { payloadOf } from './post.ts';

const at = Date.parse('2026-03-01T10:00:00+08:00');
const contact = { contactId: 'VolejRejNabcde', at };
const points = {
  kind: 'earn',
  amount: 100,
  available: 250,
  key: 'order-4711',
  expiresAt: '2026-12-31T16:00:00.000Z',
};
const message = { sequence: 1, kind: 'text', text: '請問今天可以出貨嗎？' };
const changes: Change[] = [
  { ...contact, type: 'contact.followed', data: {} },
  { ...contact, type: 'contact.tagged', data: { tag: 'VIP', kind: 'manual' } },
  { ...contact, type: 'contact.bound', data: { customerId: 'cust_12345' } },
  { ...contact, type: 'chat.message', data: { messageId: '01KJPS05CJHW7EFBRYYCYAVDF5' } },
  { ...contact, type: 'points.changed', data: points },
];

test('the manual shows each kind of webhook message unchanged', async () => {
  const manual = await readFile(new URL('../../docs/webhooks-out.md', import.meta.url), 'utf8');
  const documentedBodies = [...manual.matchAll(/```json\n(.+?)```/gs)].map(([, text = '']) =>
    JSON.parse(text),
  );
  const actualBodies = changes.map(({ contactId, at: happenedAt, type, data }) =>
    payloadOf({
      ...{
        botId: 'lNbWoobyg',
        noticeId: 1,
        webhookId: 'msg_1_ab',
        type,
        contactId,
        happenedAt: new Date(happenedAt),
      },
      // The text of a chat message is read at dispatch (queue.ts).
      data: type === 'chat.message' ? { ...data, ...message } : data,
      ...{
        platform: type === 'chat.message' ? 'liveChat' : 'line',
        platformContactId: type === 'chat.message' ? 'v_abcDEFghiJKLmnopqrST' : 'U4af4980629',
        attempts: 0,
        since: new Date(0),
        url: '',
        health: 'new',
      },
      ...{ secret_sealed: Buffer.of(), previous_secret_sealed: null, previous_secret_until: null },
    }),
  );
  assert.deepEqual(
    documentedBodies,
    actualBodies.map((text) => JSON.parse(text)),
  );
});
