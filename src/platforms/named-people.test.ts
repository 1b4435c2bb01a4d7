import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { platforms, readers } from './index.ts';
import { peopleInBody, withoutPerson } from './named-people.ts';
import type { PlatformName, WebhookPlatformName } from './platform.ts';

const bytesOf = (body: unknown) => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

const erased = (platform: PlatformName, body: unknown, ...ids: string[]) => {
  const rest = withoutPerson(bytesOf(body), ids, readers[platform].people);
  return rest === null ? null : JSON.parse(Buffer.from(rest).toString());
};

test('items that name the person are dropped, and the others stay unchanged', () => {
  const item = (user: string, text: string) => ({ source: { userId: user }, message: { text } });
  const body = {
    destination: 'U0',
    events: [item('U1', 'mine'), item('U2', 'theirs'), item('U2', 'ask U1!')],
  };
  assert.deepEqual(erased('line', body, 'U1'), { ...body, events: body.events.slice(1) });
});

test('an id that equals a word of the format touches no delivery of others', () => {
  const body = {
    destination: 'U0',
    events: [{ type: 'message', source: { type: 'user', userId: 'U2' }, message: { type: 'text', id: '7' } }],
  };
  for (const id of ['user', 'message', 'text', 'events', 'userId', '7', 'U0']) {
    const bytes = bytesOf(body);
    assert.equal(withoutPerson(bytes, [id], readers.line.people), bytes, id);
  }
});

test('a LINE event with a mention of the person is dropped whole, because its text has the name', () => {
  const mentioning = {
    source: { userId: 'U2' },
    message: { text: '@Bob hi', mention: { mentionees: [{ userId: 'U1' }] } },
  };
  assert.deepEqual(erased('line', { events: [mentioning] }, 'U1'), { events: [] });
});

test('of people who joined a group together only the person is dropped', () => {
  const joined = (...users: string[]) => ({ joined: { members: users.map((userId) => ({ userId })) } });
  assert.deepEqual(erased('line', { events: [joined('U1', 'U2')] }, 'U1'), { events: [joined('U2')] });
});

test("Meta's lists are read in every entry, with profile names and shared contact cards", () => {
  const card = { from: '886922', contacts: [{ phones: [{ phone: '+886 911', wa_id: '886911' }] }] };
  const value = {
    metadata: { phone_number_id: '1' },
    contacts: [
      { wa_id: '886911', profile: { name: 'Ann' } },
      { wa_id: '886922', profile: { name: 'Bo' } },
    ],
    messages: [
      { from: '+886 911', text: { body: 'x' } },
      { from: '886922', text: { body: 'call +886911' } },
    ],
    statuses: [{ recipient_user_id: 'TW.5' }],
  };
  const rest = {
    ...value,
    contacts: [value.contacts[1]],
    messages: [value.messages[1], { from: '886922', contacts: [] }],
    statuses: [],
  };
  const whole = { ...value, messages: [...value.messages, card] };
  assert.deepEqual(
    erased('whatsapp', { entry: [{ id: '9', changes: [{ value: whole }] }] }, '886911', 'TW.5'),
    { entry: [{ id: '9', changes: [{ value: rest }] }] },
  );
  const messaging = [{ sender: { id: 12 } }, { sender: { id: '123' } }];
  assert.deepEqual(erased('facebook', { entry: [{ messaging }] }, '12'), {
    entry: [{ messaging: [messaging[1]] }],
  });
});

test('the account itself is no person', () => {
  const page = { entry: [{ id: '9', messaging: [{ sender: { id: '12' }, recipient: { id: '9' } }] }] };
  assert.deepEqual(peopleInBody(bytesOf(page), readers.facebook.people), ['12']);
  assert.deepEqual(erased('facebook', page, '9'), page);
  const metadata = { phone_number_id: '300', display_phone_number: '+1 202-555-0100' };
  const value = { metadata, message_echoes: [{ from: '12025550100', to: '886911' }] };
  const business = { entry: [{ changes: [{ value }] }] };
  assert.deepEqual(peopleInBody(bytesOf(business), readers.whatsapp.people), ['886911']);
});

test('a body that does not name the person stays byte for byte, and an id written with escapes is found', () => {
  const body = Buffer.from('{ "events": [ {"source": {"userId": "U12"} } ] }');
  assert.equal(withoutPerson(body, ['U1'], readers.line.people), body);
  const escaped = String.raw`{"events":[{"source":{"userId":"\u0055\u0031"}}]}`;
  assert.deepEqual(erased('line', escaped, 'U1'), { events: [] });
});

test('a live chat delivery of the person is deleted, and a body that is no JSON stays only without an id of that form', () => {
  assert.equal(erased('liveChat', { v: 1, visitorId: 'v_A' }, 'v_A'), null);
  const user = `U${'0'.repeat(32)}`;
  const broken = Buffer.from(`{"events": [${user}`);
  assert.equal(withoutPerson(broken, [user], readers.line.people), null);
  assert.equal(withoutPerson(broken, ['events'], readers.line.people), broken);
});

test('a deeply nested body is read without overflowing the stack', () => {
  const deep = `{"events":[{"source":{"userId":"U1"},"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}]}`;
  assert.deepEqual(erased('line', deep, 'U1'), { events: [] });
});

test('the rest of a body is still read without a problem', () => {
  const bodies: [WebhookPlatformName, unknown][] = [
    ['line', { destination: 'U0', events: [{ source: { userId: 'X' } }] }],
    ['facebook', { object: 'page', entry: [{ id: '1', messaging: [{ sender: { id: 'X' } }] }] }],
    [
      'instagram',
      { object: 'instagram', entry: [{ id: '1', field: 'comments', value: { from: { id: 'X' } } }] },
    ],
    [
      'whatsapp',
      {
        object: 'whatsapp_business_account',
        entry: [{ changes: [{ field: 'messages', value: { messages: [{ from: 'X' }] } }] }],
      },
    ],
  ];
  for (const [platform, body] of bodies) {
    const rest = Buffer.from(JSON.stringify(erased(platform, body, 'X')));
    assert.deepEqual(platforms[platform].parse(rest, null), { events: [], problems: [] });
  }
});

test('for any ids, one person is dropped and every item of another stays', async (t) => {
  // Member names, types, other ids, regular expressions, escapes: anything that can appear elsewhere in the body.
  const words = [
    'user',
    'message',
    'id',
    'entry',
    'text',
    '1',
    '300',
    '.*',
    '\\u0041',
    'a"b',
    '客',
    'U1',
    'sender',
  ];
  const id = fc.oneof(fc.constantFrom(...words), fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme' }));
  const items: Record<WebhookPlatformName, (person: string) => object> = {
    line: (userId) => ({ type: 'message', source: { type: 'user', userId }, message: { id: '1' } }),
    facebook: (person) => ({ sender: { id: person }, recipient: { id: 'page' }, message: { mid: 'id' } }),
    instagram: (person) => ({ sender: { id: 'page' }, recipient: { id: person }, message: { mid: 'id' } }),
    whatsapp: (from) => ({ from, id: 'message', type: 'text', text: { body: 'user' } }),
  };
  const wrap: Record<WebhookPlatformName, (list: object[]) => object> = {
    line: (events) => ({ destination: 'account', events }),
    facebook: (messaging) => ({ object: 'page', entry: [{ id: 'page', messaging }] }),
    instagram: (messaging) => ({ object: 'instagram', entry: [{ id: 'page', messaging }] }),
    whatsapp: (messages) => ({
      entry: [{ id: 'entry', changes: [{ field: 'messages', value: { messages } }] }],
    }),
  };
  await holds(
    t,
    fc.property(
      fc.constantFrom('line', 'facebook', 'instagram', 'whatsapp'),
      fc.uniqueArray(id, { minLength: 2, maxLength: 4 }),
      fc.array(fc.nat(3), { maxLength: 6 }),
      fc.boolean(),
      (platform: WebhookPlatformName, ids, order, escaped) => {
        const { people } = readers[platform];
        const [gone = '', ...others] = ids;
        fc.pre(!ids.includes('account') && !ids.includes('page'));
        fc.pre(others.every((other) => people.normal(other) !== people.normal(gone)));
        const named = order.map((place) => ids[place % ids.length] ?? '');
        const text = JSON.stringify(wrap[platform](named.map(items[platform])));
        const body = bytesOf(escaped ? escapedJson(text) : text);
        const rest = withoutPerson(body, [people.normal(gone)], people);
        assert.ok(rest);
        if (!named.includes(gone)) assert.equal(rest, body);
        const remaining = named.filter((one) => one !== gone).map(items[platform]);
        assert.deepEqual(JSON.parse(Buffer.from(rest).toString()), wrap[platform](remaining));
        assert.ok(!peopleInBody(rest, people).includes(people.normal(gone)));
      },
    ),
    { runs: 300 },
  );
});

/** The same JSON with every character of its texts written as an escape. */
function escapedJson(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"/g, (token) => {
    const units = String(JSON.parse(token)).split('');
    return `"${units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
  });
}

test('an account that is a deeply nested list is no text', () => {
  const depth = 10_000;
  const body = Buffer.from(`{"destination":${'['.repeat(depth)}${']'.repeat(depth)},"events":[]}`);
  assert.deepEqual(peopleInBody(body, readers.line.people), []);
});
