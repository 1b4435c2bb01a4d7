import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPersonal, maskAnswer } from './masks.ts';

test('masked answers keep the first character of a name, ids, and no other personal data', () => {
  const contact = {
    contactId: 'abc',
    platform: 'line',
    platformContactId: 'U1',
    name: '王小明',
    userPhone: '1',
    remark: null,
  };
  const masked = { ...contact, name: '王…', userPhone: '…' };
  assert.deepEqual(maskAnswer('get_contact', contact), masked);
  assert.deepEqual(maskAnswer('list_contacts', { contacts: [contact], nextCursor: null }), {
    contacts: [masked],
    nextCursor: null,
  });
  const person = maskAnswer('get_contact', { ...contact, platform: 'whatsapp', name: null });
  assert.deepEqual([person.platformContactId, person.name], ['…', null]);
});

test('masked answers contain no name in the filter of a send and no reason of a points entry', () => {
  const send = { sendId: 1, name: 'Spring', filter: { name: '王小明', tag: 'VIP' } };
  const masked = { ...send, filter: { name: '…', tag: 'VIP' } };
  assert.deepEqual(maskAnswer('list_sends', { sends: [send, { sendId: 2, filter: null }] }), {
    sends: [masked, { sendId: 2, filter: null }],
  });
  assert.deepEqual(maskAnswer('list_point_entries', { entries: [{ amount: 1, reason: 'for Ming' }] }), {
    entries: [{ amount: 1, reason: '…' }],
  });
  assert.deepEqual([isPersonal('get_send'), isPersonal('get_figures')], [true, false]);
});
