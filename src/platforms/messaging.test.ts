import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountIds, webhookFixtures } from '../../tests/webhook-fixtures.ts';
import { instagram } from './instagram.ts';
import { messenger } from './messenger.ts';
import { undatedAt } from './meta.ts';
import type { ParsedDelivery, ParsedEvent } from './reader.ts';

const at = 1_772_427_647_131;
const page = '144792899659708';
const person = '7117890236152592';

test('a message is keyed by its mid and belongs to its sender', () => {
  assert.deepEqual(parse(item({ message: { mid: 'm_1', text: 'hello' } })), {
    events: [
      {
        key: 'message:m_1',
        kind: 'message-in',
        detail: 'text',
        contact: person,
        contactAlias: null,
        happenedAt: at,
      },
    ],
    problems: [],
  });
});

test('an echo is a message from the business to its recipient', () => {
  const echo = parseOne(
    fromPage({ message: { mid: 'm_2', is_echo: true, attachments: [{ type: 'template' }] } }),
  );
  assert.equal(echo.kind, 'message-out');
  assert.equal(echo.contact, person);
  assert.equal(echo.detail, 'template');
});

test('a message sent by the account is outbound even without the echo flag, and the account is never a contact', () => {
  const outbound = parseOne(fromPage({ message: { mid: 'm_2' } }));
  assert.equal(outbound.kind, 'message-out');
  assert.equal(outbound.contact, person);
  for (const members of [{ message: { is_echo: true } }, { message: {} }, { read: {} }, { postback: {} }]) {
    const toItself = parseOne({ ...item(members), sender: { id: page }, recipient: { id: page } });
    assert.equal(toItself.contact, null);
  }
});

test('the same item has the same key in messaging, in standby, and in a change of a messages field', () => {
  for (const members of [
    { message: { mid: 'm_1', text: 'hello' } },
    { message: { text: 'no mid' } },
    { postback: { mid: 'm_3', title: 'Menu', payload: 'MENU' } },
    { postback: { title: 'no mid' } },
    { read: { watermark: at } },
    { something_new: { x: 1 } },
  ]) {
    const one = parse(item(members));
    assert.deepEqual(parse(item(members), { list: 'standby' }), one);
    const value = item(members);
    assert.deepEqual(parse({ field: 'messages', value }, { list: 'changes' }), one);
    assert.deepEqual(parse({ value, field: 'messaging_postbacks' }, { list: 'changes' }), one);
  }
});

test('every sample keeps its keys when messaging becomes standby', () => {
  const changed = webhookFixtures().filter(({ body }) => body.includes('"messaging"'));
  assert.ok(changed.length > 50);
  for (const { platform, body, file } of changed) {
    const { parse: read } = platform === 'facebook' ? messenger : instagram;
    const standby = Buffer.from(String(body).replace('"messaging"', '"standby"'));
    assert.deepEqual(read(standby, accountIds[platform]), read(body, accountIds[platform]), file);
  }
});

test('without a mid, different events have different keys and repeated ones the same', () => {
  const items = [
    item({ read: { watermark: at } }),
    item({ read: { watermark: at + 1 } }),
    { ...item({ read: { watermark: at } }), timestamp: at + 1 },
    { ...item({ read: { watermark: at } }), sender: { id: '1' } },
    item({ delivery: { watermark: at } }),
    item({ reaction: { mid: 'm_1', action: 'react', emoji: '❤' } }),
    item({ reaction: { mid: 'm_1', action: 'unreact', emoji: '❤' } }),
    item({ message_edit: { mid: 'm_1', num_edit: 1 } }),
    item({ message_edit: { mid: 'm_1', num_edit: 2 } }),
    item({ message: { text: 'no mid' } }),
    item({ message: { mid: 'm_1' } }),
    item({ message: { mid: 'm_1', is_deleted: true } }),
  ];
  const keys = items.map((one) => parseOne(one).key);
  assert.equal(new Set(keys).size, items.length);
  assert.deepEqual(
    items.map((one) => parseOne(reversed(one)).key),
    keys,
  );
});

test('deletions, edits and reactions are no messages', () => {
  const deletion = parseOne(item({ message: { mid: 'm_1', is_deleted: true } }), 'instagram');
  assert.equal(deletion.kind, 'other');
  assert.equal(deletion.detail, 'deletion');
  for (const name of ['message_edit', 'reaction', 'read', 'delivery', 'pass_thread_control', 'order']) {
    const other = parseOne(item({ [name]: { mid: 'm_1' } }));
    assert.equal(other.kind, 'other');
    assert.equal(other.detail, name);
    assert.equal(other.contact, person);
  }
});

test('postbacks, opt-ins and referrals have kinds of their own, but a referral within a message is that message', () => {
  assert.equal(parseOne(item({ postback: { mid: 'm_4' } })).key, 'postback:m_4');
  assert.equal(parseOne(item({ postback: { referral: { source: 'ADS' } } })).kind, 'postback');
  const optin = parseOne(item({ optin: { type: 'notification_messages' } }));
  assert.deepEqual([optin.kind, optin.detail], ['optin', 'notification_messages']);
  const referral = parseOne(item({ referral: { source: 'SHORTLINK', type: 'OPEN_THREAD' } }));
  assert.deepEqual([referral.kind, referral.detail], ['referral', 'SHORTLINK']);
  assert.equal(parseOne(item({ message: { mid: 'm_5', referral: { source: 'ADS' } } })).kind, 'message-in');
});

test('a message without a sender still counts', () => {
  const optin = parseOne({ recipient: { id: page }, timestamp: at, optin: { user_ref: 'r' } });
  assert.deepEqual([optin.kind, optin.contact], ['optin', null]);
  const echo = { ...fromPage({ message: { mid: 'm_6', is_echo: true } }), recipient: { user_ref: 'r' } };
  assert.deepEqual([parseOne(echo).kind, parseOne(echo).contact], ['message-out', null]);
});

test('an item of an unknown kind is ignored, with its name', () => {
  const unknown = parseOne(item({ z: 1, constructor: 2 }));
  assert.equal(unknown.kind, 'ignored');
  assert.equal(unknown.detail, 'unknown item: constructor');
  assert.equal(unknown.contact, null);
});

test('an entry of another account is ignored with all its items', () => {
  for (const list of ['messaging', 'standby']) {
    const { events } = parse(item({ message: { mid: 'm_1' } }), { list, entry: { id: '0' } });
    assert.deepEqual(
      events.map(({ kind, detail, contact }) => [kind, detail, contact]),
      [['ignored', 'other account', null]],
    );
    assert.notEqual(events[0]?.key, 'message:m_1');
  }
});

test('comments and mentions are ignored, in changes and directly in the entry', () => {
  const change = { field: 'comments', value: { id: '1', text: 'price?' } };
  const [inList] = parse(change, { list: 'changes', platform: 'instagram' }).events;
  assert.deepEqual([inList?.kind, inList?.detail, inList?.contact], ['ignored', 'change: comments', null]);
  assert.equal(inList?.happenedAt, 1_772_427_600_000);
  const body = { object: 'instagram', entry: [{ id: page, time: 1_772_427_600, ...change }] };
  assert.deepEqual(instagram.parse(Buffer.from(JSON.stringify(body)), page).events, [inList]);
});

test('an event that counts needs a time of its own; others use the next best time', () => {
  const untimed = (members: object) => ({ sender: { id: person }, ...members });
  for (const name of ['message', 'postback', 'optin', 'referral']) {
    assert.equal(parse(untimed({ [name]: {} })).problems.length, 1, name);
  }
  assert.equal(parseOne(item({ read: { watermark: at - 1 } })).happenedAt, at - 1);
  assert.equal(parseOne(untimed({ delivery: { watermark: at } })).happenedAt, at);
  assert.equal(parseOne(untimed({ reaction: {} })).happenedAt, 1_772_427_600_000);
  const undated = parse(untimed({ reaction: {} }), { entry: { time: undefined } });
  assert.equal(undated.events[0]?.happenedAt, undatedAt);
});

test('a broken item is a problem with its place, and the others still count', () => {
  const { events, problems } = messenger.parse(
    Buffer.from(
      JSON.stringify({
        object: 'page',
        entry: [
          { id: page, messaging: [item({ message: { mid: 'm_1' } }), 5, item({ message: 'hello' })] },
          { messaging: [] },
          { id: page, time: at },
          { id: page, standby: {}, changes: [{ value: {} }, { field: 'messages', value: 5 }] },
          { id: page, standby: [item({ message: { mid: 'm_2\0' } }), item({ message: { mid: 'm_3' } })] },
        ],
      }),
    ),
    page,
  );
  assert.deepEqual(
    events.map(({ key }) => key),
    ['message:m_1', 'message:m_3'],
  );
  assert.deepEqual(problems, [
    'entry[0].messaging[1]: expected an object',
    'entry[0].messaging[2]: message: expected an object',
    'entry[1]: no id',
    'entry[2]: no messaging, standby or changes',
    'entry[3].standby: expected an array',
    'entry[3].changes[0]: no field',
    'entry[3].changes[1]: value: expected an object',
    'entry[4].standby[0]: message.mid: expected an id of at most 300 characters',
  ]);
});

test('each platform accepts only deliveries about its own objects', () => {
  const body = (object: string) => Buffer.from(JSON.stringify({ object, entry: [] }));
  for (const object of ['instagram', 'page'])
    assert.deepEqual(instagram.parse(body(object), page).problems, []);
  assert.deepEqual(messenger.parse(body('page'), page), { events: [], problems: [] });
  assert.deepEqual(messenger.parse(body('instagram'), page), {
    events: [],
    problems: ['body: object: expected "page"'],
  });
  assert.equal(instagram.parse(body('whatsapp_business_account'), page).problems.length, 1);
});

function item(members: object): object {
  return { sender: { id: person }, recipient: { id: page }, timestamp: at, ...members };
}

function fromPage(members: object): object {
  return { ...item(members), sender: { id: page }, recipient: { id: person } };
}

function reversed(one: object): object {
  return Object.fromEntries(Object.entries(one).reverse());
}

function parse(
  one: object,
  {
    list = 'messaging',
    platform = 'facebook',
    entry = {},
  }: { list?: string; platform?: string; entry?: object } = {},
): ParsedDelivery {
  const [module, object] = platform === 'facebook' ? [messenger, 'page'] : [instagram, 'instagram'];
  const body = { object, entry: [{ id: page, time: 1_772_427_600, [list]: [one], ...entry }] };
  return module.parse(Buffer.from(JSON.stringify(body)), page);
}

function parseOne(one: object, platform = 'facebook'): ParsedEvent {
  const { events, problems } = parse(one, { platform });
  assert.deepEqual(problems, []);
  assert.equal(events.length, 1);
  return events[0]!;
}
