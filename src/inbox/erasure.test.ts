import assert from 'node:assert/strict';
import { test } from 'node:test';
import { platforms } from '../platforms/index.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';
import { withoutPerson } from './erasure.ts';

const erased = (body: unknown, ...ids: string[]) => {
  const rest = withoutPerson(Buffer.from(JSON.stringify(body)), ids);
  return rest === null ? null : JSON.parse(Buffer.from(rest).toString());
};

test('items that name the person go, and the others stay as they were told', () => {
  const item = (user: string, text: string) => ({ source: { userId: user }, message: { text } });
  const body = {
    destination: 'U0',
    events: [item('U1', 'mine'), item('U2', 'theirs'), item('U2', 'ask U1!')],
  };
  assert.deepEqual(erased(body, 'U1'), { destination: 'U0', events: [item('U2', 'theirs')] });
});

test('an event with a mention of the person goes whole, for its text has the name', () => {
  const mentioning = {
    source: { userId: 'U2' },
    message: { text: '@Bob hi', mention: { mentionees: [{ userId: 'U1' }] } },
  };
  assert.deepEqual(erased({ events: [mentioning] }, 'U1'), { events: [] });
});

test("Meta's lists are gone through in every entry, with profile names", () => {
  const value = {
    metadata: { phone_number_id: '1' },
    contacts: [
      { wa_id: '886911', profile: { name: 'Ann' } },
      { wa_id: '886922', profile: { name: 'Bo' } },
    ],
    messages: [
      { from: '886911', text: { body: 'x' } },
      { from: '886922', text: { body: 'call +886911' } },
    ],
    statuses: [{ recipient_user_id: 'TW.5' }],
  };
  assert.deepEqual(erased({ entry: [{ id: '9', changes: [{ value }] }] }, '886911', 'TW.5'), {
    entry: [
      {
        id: '9',
        changes: [{ value: { ...value, contacts: [value.contacts[1]], messages: [], statuses: [] } }],
      },
    ],
  });
  const messaging = [{ sender: { id: 12 } }, { sender: { id: '123' } }];
  assert.deepEqual(erased({ entry: [{ messaging }] }, '12'), { entry: [{ messaging: [messaging[1]] }] });
});

test('what names nobody stays byte for byte, also with the id within a longer one or behind a line break', () => {
  const body = Buffer.from('{ "events": [ {"a": "U12"} ] }');
  assert.equal(withoutPerson(body, ['U1']), body);
  assert.equal(withoutPerson(body, ['absent']), body);
  assert.deepEqual(erased({ events: [{ text: 'a\nU1' }] }, 'U1'), { events: [] });
});

test('a body that names the person beside its items, or is no JSON, does not stay', () => {
  assert.equal(erased({ events: [], who: 'U1' }, 'U1'), null);
  assert.equal(erased({ U1: true }, 'U1'), null);
  assert.equal(withoutPerson(Buffer.from('{"events": [U1'), ['U1']), null);
});

test('what remains of a body is still read without a problem', () => {
  const bodies: [WebhookPlatformName, unknown][] = [
    ['line', { destination: 'U0', events: [{ source: { userId: 'X' } }] }],
    ['facebook', { object: 'page', entry: [{ id: '1', messaging: [{ sender: { id: 'X' } }] }] }],
    [
      'whatsapp',
      {
        object: 'whatsapp_business_account',
        entry: [{ changes: [{ field: 'messages', value: { messages: [{ from: 'X' }] } }] }],
      },
    ],
  ];
  for (const [platform, body] of bodies) {
    const rest = Buffer.from(JSON.stringify(erased(body, 'X')));
    assert.deepEqual(platforms[platform].parse(rest, null), { events: [], problems: [] });
  }
});
