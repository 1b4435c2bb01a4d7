import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountIds, readFixture } from '../../tests/webhook-fixtures.ts';
import { line } from './line.ts';
import type { ParsedDelivery } from './reader.ts';

const at = 1_772_420_706_214;
const user = { type: 'user', userId: 'Ucustomer' };

test('a text from a person is a message of that person, keyed by its webhookEventId', () => {
  assert.deepEqual(parse(event({ type: 'message', message: { type: 'text', text: 'hello' } })), {
    events: [
      {
        key: 'E1',
        kind: 'message-in',
        detail: 'text',
        contact: 'Ucustomer',
        contactAlias: null,
        happenedAt: at,
      },
    ],
    problems: [],
  });
});

test('a message of any type counts, also in standby', () => {
  for (const message of [{ type: 'video' }, { type: 'somethingNew' }, {}, undefined]) {
    for (const mode of ['active', 'standby']) {
      const [parsed] = parse(event({ type: 'message', message, mode })).events;
      assert.equal(parsed?.kind, 'message-in');
      assert.equal(parsed?.detail, message?.type ?? null);
    }
  }
});

test('a message in a group or room counts, but has no contact', () => {
  for (const source of [
    { type: 'group', groupId: 'C1', userId: 'Ucustomer' },
    { type: 'group', groupId: 'C1' },
    { type: 'room', roomId: 'R1', userId: 'Ucustomer' },
    { type: 'openChat' },
    undefined,
  ]) {
    const { events, problems } = parse(event({ type: 'message', message: { type: 'text' }, source }));
    assert.deepEqual(problems, []);
    assert.equal(events[0]?.kind, 'message-in');
    assert.equal(events[0]?.contact, null);
  }
});

test('edits and unsends are no messages', () => {
  for (const type of ['messageEdited', 'unsend']) {
    const [parsed] = parse(event({ type, message: { type: 'text', id: '1' } })).events;
    assert.equal(parsed?.kind, 'other');
    assert.equal(parsed?.detail, type);
  }
});

test('follow, unfollow and postback have kinds of their own', () => {
  for (const type of ['follow', 'unfollow', 'postback'] as const) {
    assert.equal(parse(event({ type })).events[0]?.kind, type);
  }
});

test('the detail of a follow shows whether it lifts a block', () => {
  const detail = (follow: unknown) => parse(event({ type: 'follow', follow })).events[0]?.detail;
  assert.equal(detail({ isUnblocked: true }), 'unblocked');
  for (const follow of [{ isUnblocked: false }, {}, undefined, null]) assert.equal(detail(follow), null);
});

test('a follow or unfollow without a person is a problem', () => {
  for (const type of ['follow', 'unfollow']) {
    const { events, problems } = parse(event({ type, source: { type: 'user' } }));
    assert.deepEqual(events, []);
    assert.deepEqual(problems, ['events[0]: no source.userId']);
  }
});

test('an unknown event type is ignored, with its name', () => {
  const [parsed] = parse(event({ type: 'constructor' })).events;
  assert.equal(parsed?.kind, 'ignored');
  assert.equal(parsed?.detail, 'unknown event type: constructor');
  assert.equal(parsed?.contact, null);
  const [long] = parse(event({ type: 'x'.repeat(300) })).events;
  assert.equal(long?.detail?.length, 64);
});

test('events for another account are ignored, under a key that cannot hide the event of the right account', () => {
  const delivery = { destination: 'Ub', events: [{ ...event({ type: 'follow' }) }] };
  const [other] = parse(delivery, 'Ua').events;
  assert.equal(other?.kind, 'ignored');
  assert.equal(other?.detail, 'other account');
  assert.equal(other?.contact, null);
  assert.notEqual(other?.key, parse(delivery, 'Ub').events[0]?.key);
  assert.equal(parse(delivery, 'Ub').events[0]?.kind, 'follow');
  assert.equal(parse(delivery, null).events[0]?.kind, 'follow');
});

test("the console's Verify button is neither an event nor a problem", () => {
  assert.deepEqual(line.parse(readFixture('line/verify-empty-events.json'), accountIds.line), {
    events: [],
    problems: [],
  });
});

test('a broken event is a problem with its place, and the others still count', () => {
  const events = [
    event({ type: 'follow' }),
    null,
    event({ type: 'follow', webhookEventId: undefined }),
    event({ type: 'follow', webhookEventId: 7 }),
    event({ type: undefined }),
    event({ type: 'message', timestamp: at / 1_000 }),
    event({ type: 'message', timestamp: String(at) }),
    event({ type: 'message', source: { type: 'user', userId: 'U\0' } }),
    event({ type: 'follow', webhookEventId: 'E2' }),
  ];
  const parsed = parse({ destination: 'Ua', events });
  assert.deepEqual(
    parsed.events.map(({ key }) => key),
    ['E1', 'E2'],
  );
  assert.deepEqual(parsed.problems, [
    'events[1]: expected an object',
    'events[2]: no webhookEventId',
    'events[3]: webhookEventId: expected an id of at most 300 characters',
    'events[4]: no type',
    'events[5]: timestamp: expected a time in the years 2000 to 2199',
    'events[6]: timestamp: expected a time in the years 2000 to 2199',
    'events[7]: source.userId: expected an id of at most 300 characters',
  ]);
});

test('thousands of broken events give a short list of problems', () => {
  const { problems } = parse({ destination: 'Ua', events: Array(5_000).fill(1) });
  assert.equal(problems.length, 21);
  assert.equal(problems.at(-1), 'and more');
});

test('a body that is no LINE delivery is a problem that names the expected form', () => {
  const bodies: [string | Uint8Array, string][] = [
    ['', 'body: expected JSON in UTF-8'],
    ['{"events":[', 'body: expected JSON in UTF-8'],
    [Buffer.from([0x22, 0xff, 0x22]), 'body: expected JSON in UTF-8'],
    ['[]', 'body: expected a JSON object'],
    ['null', 'body: expected a JSON object'],
    ['{}', 'events: expected an array'],
    ['{"destination":5,"events":[]}', 'body: destination: expected an id of at most 300 characters'],
  ];
  for (const [body, problem] of bodies) {
    assert.deepEqual(line.parse(Buffer.from(body), null), { events: [], problems: [problem] });
  }
});

test('a byte-order mark does not matter', () => {
  const body = Buffer.concat([Buffer.from('\ufeff'), readFixture('line/message-text.json')]);
  assert.deepEqual(line.parse(body, null), line.parse(readFixture('line/message-text.json'), null));
});

function event(members: object): object {
  return { webhookEventId: 'E1', timestamp: at, source: user, mode: 'active', ...members };
}

function parse(body: object, accountId: string | null = null): ParsedDelivery {
  const delivery = 'events' in body ? body : { destination: 'Ua', events: [body] };
  return line.parse(Buffer.from(JSON.stringify(delivery)), accountId);
}
