import assert from 'node:assert/strict';
import { test } from 'node:test';
import { undatedAt } from './meta.ts';
import type { ParsedDelivery, ParsedEvent } from './reader.ts';
import { whatsapp } from './whatsapp.ts';

const at = 1_772_434_837_000;
const account = '210924782137726';
const number = '12025550123';
const userId = `user.${'a'.repeat(251)}`;

test('a message is keyed by its id and belongs to the sending number', () => {
  assert.deepEqual(parse({ messages: [message({})] }), {
    events: [
      {
        key: 'message:wamid.1',
        kind: 'message-in',
        detail: 'text',
        contact: number,
        contactAlias: null,
        happenedAt: at,
      },
    ],
    problems: [],
  });
});

test('a person is the number when there is one, with the user id as alias', () => {
  const both = parseOne({ messages: [message({ from_user_id: userId })] });
  assert.deepEqual([both.contact, both.contactAlias], [number, userId]);
  const onlyUserId = parseOne({ messages: [message({ from: '', from_user_id: userId })] });
  assert.deepEqual([onlyUserId.contact, onlyUserId.contactAlias], [userId, null]);
  const anonymous = parse({ messages: [message({ from: '' })] });
  assert.deepEqual([anonymous.events[0]?.kind, anonymous.events[0]?.contact], ['message-in', null]);
});

test('the other id of a person is taken from the contacts of the same value, matched by either id', () => {
  const contacts = [
    { wa_id: '1', user_id: 'user.1' },
    { wa_id: number, user_id: userId },
    { wa_id: '', user_id: 'user.2' },
  ];
  for (const ids of [{}, { from: '', from_user_id: userId }, { from: `+${number}` }]) {
    const event = parseOne({ contacts, messages: [message(ids)] });
    assert.deepEqual([event.contact, event.contactAlias], [number, userId]);
  }
  const stranger = parseOne({ contacts, messages: [message({ from: '2' })] });
  assert.deepEqual([stranger.contact, stranger.contactAlias], ['2', null]);
});

test('a contact that cannot be read is a problem, and its message still counts', () => {
  const { events, problems } = parse({ contacts: [{ wa_id: {} }], messages: [message({})] });
  assert.equal(events[0]?.contact, number);
  assert.deepEqual(problems, [
    'entry[0].changes[0].value.contacts[0]: wa_id: expected an id of at most 300 characters',
  ]);
});

test('every type is a message except reactions, system messages, edits, revocations, pins and opened chats', () => {
  for (const type of ['image', 'unsupported', 'button', 'interactive', 'order', 'future_type', undefined]) {
    const event = parseOne({ messages: [message({ type })] });
    assert.deepEqual([event.kind, event.key], ['message-in', 'message:wamid.1']);
  }
  for (const type of ['reaction', 'system', 'edit', 'revoke', 'pin', 'request_welcome']) {
    const event = parseOne({ messages: [message({ type })] });
    assert.deepEqual([event.kind, event.key], ['other', `${type}:wamid.1`]);
    assert.equal(parseOne({ message_echoes: [message({ type })] }, 'smb_message_echoes').kind, 'other');
  }
});

test('an unsupported item is a message unless it is an edit, a reaction or a pin', () => {
  const parse = (unsupported: unknown) =>
    parseOne({ messages: [message({ type: 'unsupported', unsupported })] });
  for (const type of ['edit', 'reaction', 'pin']) {
    const { kind, key, detail } = parse({ type });
    assert.deepEqual([kind, key, detail], ['other', `${type}:wamid.1`, type]);
  }
  for (const unsupported of [undefined, { type: 'poll' }, { type: 7 }, 'edit']) {
    const { kind, key, detail } = parse(unsupported);
    assert.deepEqual([kind, key, detail], ['message-in', 'message:wamid.1', 'unsupported']);
  }
});

test('a user id that is also in the member of the number is one id', () => {
  const id = 'TW.777';
  const expected = [id, null];
  for (const ids of [{ from: id, from_user_id: id }, { from: id }]) {
    const { contact, contactAlias } = parseOne({ messages: [message(ids)] });
    assert.deepEqual([contact, contactAlias], expected);
  }
  const ids = { recipient_id: id, recipient_user_id: id };
  for (const { contact, contactAlias } of parse({ statuses: [status(ids)] }).events) {
    assert.deepEqual([contact, contactAlias], expected);
  }
  const digits = parseOne({ messages: [message({ from_user_id: number })] });
  assert.deepEqual([digits.contact, digits.contactAlias], [number, null]);
});

test('a number is its digits, without formatting characters', () => {
  const { contact } = parseOne({ messages: [message({ from: '+1 (202) 555-0123' })] });
  assert.equal(contact, number);
});

test('a group message counts, but has no contact', () => {
  const event = parseOne({ messages: [message({ group_id: 'G' })], contacts: [{ wa_id: number }] });
  assert.deepEqual([event.kind, event.contact], ['message-in', null]);
});

test('a changed number or user id links the old id and the new one', () => {
  const change = (ids: object, system: object) => {
    const event = parseOne({ messages: [message({ type: 'system', ...ids, system })] });
    assert.equal(event.kind, 'other');
    return [event.detail, event.contact, event.contactAlias];
  };
  const newNumber = { type: 'user_changed_number', wa_id: '12025550145', user_id: 'user.2' };
  assert.deepEqual(change({}, newNumber), ['user_changed_number', number, '12025550145']);
  const newUserId = { type: 'user_changed_user_id', wa_id: '', user_id: 'user.2' };
  const before = { from: '', from_user_id: userId };
  assert.deepEqual(change(before, newUserId), ['user_changed_user_id', userId, 'user.2']);
  const sameNumber = { ...newUserId, wa_id: number };
  assert.deepEqual(change({ from_user_id: userId }, sameNumber), ['user_changed_user_id', number, 'user.2']);
  assert.deepEqual(change({ from: '' }, newNumber), ['user_changed_number', '12025550145', 'user.2']);
  const nothingNew = { type: 'user_changed_number', wa_id: number };
  assert.deepEqual(change({ from_user_id: userId }, nothingNew), ['user_changed_number', number, userId]);
  const unrelated = { type: 'user_identity_changed', wa_id: '1' };
  assert.deepEqual(change({}, unrelated), ['user_identity_changed', number, null]);
});

test('every status that proves a sent message is that message, too', () => {
  for (const [index, name] of ['sent', 'delivered', 'read', 'played'].entries()) {
    const timestamp = String(at / 1_000 + index);
    const who = { contact: number, contactAlias: null, happenedAt: at + index * 1_000 };
    assert.deepEqual(parse({ statuses: [status({ status: name, timestamp })] }).events, [
      { key: `status:wamid.1:${name}`, kind: 'status', detail: name, ...who },
      { key: 'message:wamid.1', kind: 'message-out', detail: null, ...who },
    ]);
  }
});

test('a failed or unknown status proves no message', () => {
  for (const name of ['failed', 'deleted', 'warning']) {
    const { kind, key } = parseOne({ statuses: [status({ status: name })] });
    assert.deepEqual([kind, key], ['status', `status:wamid.1:${name}`]);
  }
});

test('the recipient of a status may have a user id only, or be a group', () => {
  const byUserId = status({ recipient_id: '', recipient_user_id: userId });
  assert.ok(parse({ statuses: [byUserId] }).events.every(({ contact }) => contact === userId));
  const contacts = [{ wa_id: number, user_id: userId }];
  assert.ok(
    parse({ contacts, statuses: [status({})] }).events.every((event) => event.contactAlias === userId),
  );
  const group = status({ recipient_type: 'group', recipient_id: 'G', recipient_participant_id: number });
  assert.deepEqual(
    parse({ statuses: [group] }).events.map(({ kind, contact }) => [kind, contact]),
    [
      ['status', null],
      ['message-out', null],
    ],
  );
});

test('a message sent from the phone app is a message to its recipient, and the same as the one of its status', () => {
  for (const field of ['smb_message_echoes', 'message_echoes']) {
    const echo = {
      from: '12025550100',
      to: `+${number}`,
      id: 'wamid.1',
      timestamp: String(at / 1_000),
      type: 'text',
    };
    const event = parseOne({ message_echoes: [echo] }, field);
    assert.deepEqual([event.kind, event.contact, event.key], ['message-out', number, 'message:wamid.1']);
    assert.equal(parse({ statuses: [status({})] }).events[1]?.key, event.key);
  }
});

test('errors of the account are stored and count nothing', () => {
  const event = parseOne({ errors: [{ code: 130429, title: 'Rate limit hit' }] });
  assert.deepEqual([event.kind, event.detail, event.contact], ['other', 'error 130429', null]);
  assert.equal(event.happenedAt, undatedAt);
});

test('a person that stops marketing messages is not a block', () => {
  const stop = { wa_id: number, user_id: userId, value: 'stop', timestamp: at / 1_000 };
  const event = parseOne({ user_preferences: [stop] }, 'user_preferences');
  assert.deepEqual([event.kind, event.contact, event.contactAlias], ['other', number, userId]);
  const resume = parseOne({ user_preferences: [{ ...stop, value: 'resume' }] }, 'user_preferences');
  assert.notEqual(resume.key, event.key);
});

test('other fields are stored by name, unknown ones ignored, and media of a history are not counted again', () => {
  const documented = parseOne({ event: 'DISABLED' }, 'account_update');
  assert.deepEqual(
    [documented.kind, documented.detail, documented.happenedAt],
    ['other', 'account_update', undatedAt],
  );
  const unknown = parseOne({ event: 'X' }, 'something_new');
  assert.deepEqual([unknown.kind, unknown.detail], ['ignored', 'unknown field: something_new']);
  const history = parseOne({ messages: [message({})] }, 'history');
  assert.deepEqual([history.kind, history.detail], ['other', 'history']);
});

test('a history of the phone app holds messages of both sides, with the keys of their webhooks', () => {
  const old = (from: string, id: string, status: string) => ({
    ...{ from, id, timestamp: '1739230955', type: 'text', text: { body: 'x' } },
    history_context: { status },
  });
  const threads = [
    {
      id: '16505551234',
      messages: [
        old('15550783881', 'wamid.sent', 'READ'),
        old('+1 650-555-1234', 'wamid.received', 'READ'),
        old('15550783881', 'wamid.failed', 'ERROR'),
        { ...old('16505551234', 'wamid.heart', 'READ'), type: 'reaction' },
      ],
    },
  ];
  const history = [
    { metadata: { phase: 0, chunk_order: 1, progress: 55 }, threads },
    { errors: [{ code: 2593109 }] },
  ];
  const { events, problems } = parse({ history }, 'history');
  assert.deepEqual(problems, []);
  assert.deepEqual(
    events.map(({ key, kind, contact, happenedAt }) => [key, kind, contact, happenedAt]),
    [
      ['message:wamid.sent', 'message-out', '16505551234', 1_739_230_955_000],
      ['message:wamid.received', 'message-in', '16505551234', 1_739_230_955_000],
      ['history:wamid.failed', 'other', '16505551234', 1_739_230_955_000],
      ['reaction:wamid.heart', 'other', '16505551234', 1_739_230_955_000],
    ],
  );
});

test('a value for another number is ignored, event by event', () => {
  const metadata = { phone_number_id: '1' };
  for (const field of ['messages', 'history']) {
    const { events } = parse({ metadata, messages: [message({})], statuses: [status({})] }, field);
    assert.ok(events.length > 0);
    for (const { kind, detail, contact, key } of events) {
      assert.deepEqual([kind, detail, contact], ['ignored', 'other account', null]);
      assert.ok(key.startsWith('other account:1:'));
    }
  }
});

test('a broken part is a problem with its place, and the others still count', () => {
  const { events, problems } = parse({
    messages: [message({ id: '' }), message({}), message({ timestamp: 'soon' })],
    statuses: [status({ status: null }), status({ id: 'wamid.2', status: 'failed' })],
    errors: 'none',
  });
  assert.deepEqual(
    events.map(({ key }) => key),
    ['message:wamid.1', 'status:wamid.2:failed'],
  );
  assert.deepEqual(problems, [
    'entry[0].changes[0].value.messages[0]: no id',
    'entry[0].changes[0].value.messages[2]: timestamp: expected a time in the years 2000 to 2199',
    'entry[0].changes[0].value.statuses[0]: no status',
    'entry[0].changes[0].value.errors: expected an array',
  ]);
});

test('a change without a field or an account is a problem', () => {
  assert.deepEqual(parse({}).problems, [
    'entry[0].changes[0]: value: no list of messages, statuses or the like',
  ]);
  assert.deepEqual(parse({ metadata: undefined, messages: [message({})] }).problems, [
    'entry[0].changes[0]: no value.metadata.phone_number_id',
  ]);
  const body = { object: 'whatsapp_business_account', entry: [{ id: '1' }, { id: '1', changes: [{}] }] };
  assert.deepEqual(whatsapp.parse(Buffer.from(JSON.stringify(body)), account).problems, [
    'entry[0].changes: expected an array',
    'entry[1].changes[0]: no field',
  ]);
});

function message(members: object): object {
  return { from: number, id: 'wamid.1', timestamp: String(at / 1_000), type: 'text', ...members };
}

function status(members: object): object {
  return { id: 'wamid.1', status: 'sent', timestamp: String(at / 1_000), recipient_id: number, ...members };
}

function parse(value: object, field = 'messages'): ParsedDelivery {
  const metadata = { display_phone_number: '12025550100', phone_number_id: account };
  const changes = [{ field, value: { metadata, ...value } }];
  const body = { object: 'whatsapp_business_account', entry: [{ id: '113865282725962', changes }] };
  return whatsapp.parse(Buffer.from(JSON.stringify(body)), account);
}

function parseOne(value: object, field?: string): ParsedEvent {
  const { events, problems } = parse(value, field);
  assert.deepEqual(problems, []);
  assert.equal(events.length, 1);
  return events[0]!;
}
