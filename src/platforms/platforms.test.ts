import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import {
  accountIds,
  parsedFixtures,
  parsedFixturesFile,
  type WebhookFixture,
  webhookFixtures,
} from '../../tests/webhook-fixtures.ts';
import { eventKinds } from './event.ts';
import { platforms, readers } from './index.ts';
import { platformNames, webhookPlatformNames } from './platform.ts';
import type { ParsedDelivery, ParsedEvent } from './reader.ts';

const fixtures = webhookFixtures();
const secret = 'what-a-person-wrote';
const parseFixture = ({ platform, body }: WebhookFixture) =>
  readers[platform].parse(body, accountIds[platform]);

test('every platform that delivers webhooks has a module of its name', () => {
  for (const name of webhookPlatformNames) assert.equal(platforms[name].name, name);
  for (const name of platformNames) assert.equal(readers[name].name, name);
});

test('all 159 samples are read without a problem, to the events of the checked-in table', () => {
  assert.equal(fixtures.length, 159);
  const table = parsedFixtures();
  assert.ok(!table.includes('PROBLEM'));
  assert.equal(table, readFileSync(parsedFixturesFile, 'utf8'), '`npm run gen` rewrites the table');
});

test("the samples' index and the parsed events agree on which events are stored once", () => {
  for (const fixture of fixtures) {
    const events = parseFixture(fixture).events;
    const expected = fixture.dedupe.filter((key) => key !== 'none');
    if (expected.length === 0) {
      assert.ok(
        events.every(({ kind }) => kind === 'other' || kind === 'ignored'),
        fixture.file,
      );
      continue;
    }
    // The message that a status proves is one more.
    const stored = events.filter(({ detail, kind }) => kind !== 'message-out' || detail !== null);
    assert.equal(stored.length, expected.length, fixture.file);
    stored.forEach(({ key }, index) => {
      assert.ok(isSameKey(key, expected[index] ?? ''), `${fixture.file}: ${key}`);
    });
  }
});

test("the samples' index and the parsed events agree on which events are messages, and on their direction", () => {
  const kindOf = ({ event, direction }: WebhookFixture) => {
    if (event === 'message.created') return direction === 'outbound' ? 'message-out' : 'message-in';
    if (event === 'message.seen') return null;
    if (event === 'message_echo' || /^status\.(sent|delivered|read)$/.test(event)) return 'message-out';
    // The sample of an unsupported item is an edit.
    return /^message(\.(?!reaction|system|unsupported)|$)/.test(event) ? 'message-in' : null;
  };
  for (const fixture of fixtures) {
    const messages = parseFixture(fixture).events.filter(({ kind }) => kind.startsWith('message-'));
    const expected = kindOf(fixture);
    assert.deepEqual(
      [...new Set(messages.map(({ kind }) => kind))],
      expected ? [expected] : [],
      fixture.file,
    );
  }
});

test('no two events of the samples share a key, except the message of several statuses', () => {
  for (const name of platformNames) {
    const events = fixtures
      .filter(({ platform }) => platform === name)
      .flatMap((fixture) => parseFixture(fixture).events);
    const single = events.filter(({ kind }) => name !== 'whatsapp' || kind !== 'message-out');
    assert.equal(new Set(single.map(({ key }) => key)).size, single.length, name);
  }
});

test('a sample with other spaces and another order of members gives the same events', () => {
  for (const fixture of fixtures) {
    const { platform, body } = fixture;
    const again: unknown = JSON.parse(
      String(body).replaceAll('"isRedelivery": false', '"isRedelivery": true'),
    );
    for (const text of [JSON.stringify(again), JSON.stringify(backwards(again), null, 7)]) {
      const parsed = readers[platform].parse(Buffer.from(text), accountIds[platform]);
      assert.deepEqual(parsed, parseFixture(fixture), fixture.file);
    }
  }
});

test('samples with raw characters and with escaped ones give the same events', () => {
  for (const fixture of fixtures) {
    const raw = JSON.stringify(JSON.parse(String(fixture.body)));
    const escaped = raw.replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    assert.deepEqual(parseFixture({ ...fixture, body: Buffer.from(escaped) }), parseFixture(fixture));
  }
});

test('a sample for another account gives as many events, all ignored and without a contact', () => {
  for (const { platform, body, file } of fixtures) {
    if (platform === 'liveChat') continue;
    const events = readers[platform].parse(body, accountIds[platform]).events;
    const others = readers[platform].parse(body, 'another account').events;
    assert.equal(others.length, events.length, file);
    // These are about the whole business account, of whichever number.
    if (/whatsapp\/(account|phone|message-template)/.test(file)) continue;
    assert.ok(
      others.every(({ kind, contact }) => kind === 'ignored' && contact === null),
      file,
    );
  }
});

test('arbitrary bytes and arbitrary JSON give at most a problem', async (t) => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
    fc.anything({ withNullPrototype: false }).map((value) => Buffer.from(writtenJson(value))),
  );
  await holds(
    t,
    fc.property(fc.constantFrom(...platformNames), bytes, (name, body) => {
      const delivery = readers[name].parse(body, accountIds[name]);
      assertSound(delivery);
      assert.deepEqual(delivery.events, []);
      assert.equal(delivery.problems.length, 1);
    }),
    { runs: 500 },
  );
});

test("a delivery in the platform's form with arbitrary values gives only valid events", async (t) => {
  const anything = fc.jsonValue({ stringUnit: 'binary' });
  const listOfAnything = fc.array(anything, { maxLength: 3 });
  const bodies = fc.oneof(
    fc.record({
      name: fc.constant('line' as const),
      body: fc.record({ destination: anything, events: listOfAnything }),
    }),
    fc.record({
      name: fc.constantFrom('facebook' as const, 'instagram' as const),
      body: fc.record({
        object: fc.constant('page'),
        entry: fc.array(
          fc.record(
            {
              id: fc.constantFrom(1, accountIds.facebook),
              messaging: listOfAnything,
              changes: listOfAnything,
              time: anything,
            },
            { requiredKeys: ['id'] },
          ),
          { maxLength: 2 },
        ),
      }),
    }),
    fc.record({
      name: fc.constant('liveChat' as const),
      body: fc.record(
        {
          v: fc.constant(1),
          type: anything,
          id: anything,
          visitorId: anything,
          timestamp: anything,
          message: anything,
        },
        { requiredKeys: ['v'] },
      ),
    }),
    fc.record({
      name: fc.constant('whatsapp' as const),
      body: fc
        .record({ field: fc.constantFrom('messages', 'user_preferences', 'x'), value: anything })
        .map((change) => ({ object: 'whatsapp_business_account', entry: [{ changes: [change] }] })),
    }),
  );
  await holds(
    t,
    fc.property(bodies, ({ name, body }) => {
      assertSound(readers[name].parse(Buffer.from(JSON.stringify(body)), accountIds[name]));
    }),
    { runs: 1_000 },
  );
});

test('samples that are cut off, or whose bytes are changed, give only valid events', async (t) => {
  await holds(
    t,
    fc.property(
      fc.constantFrom(...fixtures),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      (fixture, share, changes) => {
        const cut = fixture.body.subarray(0, Math.floor(share * fixture.body.length));
        assertSound(parseFixture({ ...fixture, body: cut }));
        const body = Buffer.from(fixture.body);
        for (const [place, byte] of changes) body[place % body.length] = byte;
        assertSound(parseFixture({ ...fixture, body }));
      },
    ),
    { runs: 1_000 },
  );
});

test('samples with one value replaced or removed give only valid events', async (t) => {
  const intruder = fc.oneof(
    fc.jsonValue({ stringUnit: 'binary' }),
    fc.constantFrom(
      undefined,
      '',
      '\0',
      '\ud800',
      'x'.repeat(10_000),
      -1,
      0,
      1.5,
      1e300,
      99_999_999_999,
      {},
      [],
      null,
      secret,
      [secret],
      { [secret]: secret },
    ),
  );
  await holds(
    t,
    fc.property(fc.constantFrom(...fixtures), fc.nat(), intruder, (fixture, place, value) => {
      const text = withValueReplaced(String(fixture.body), place, value);
      assertSound(parseFixture({ ...fixture, body: Buffer.from(text) }));
    }),
    { runs: 2_000 },
  );
});

test('a value nested a hundred thousand levels deep is a problem, not an overflow of the stack', () => {
  const deep = `${'[{"a":'.repeat(100_000)}0${'}]'.repeat(100_000)}`;
  const texts = {
    line: `{"events":[{"type":${deep}}]}`,
    facebook: `{"object":"page","entry":[{"id":"1","messaging":[{"a":${deep}}]}]}`,
    instagram: `{"object":"instagram","entry":[{"id":"1","changes":[{"field":"x","value":${deep}}]}]}`,
    whatsapp: `{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"x","value":{"a":${deep}}}]}]}`,
    liveChat: `{"v":1,"type":${deep}}`,
  };
  for (const name of platformNames) {
    const delivery = readers[name].parse(Buffer.from(texts[name]), null);
    assertSound(delivery);
    assert.equal(delivery.problems.length, 1);
  }
});

function assertSound({ events, problems }: ParsedDelivery): void {
  for (const event of events) assertSoundEvent(event);
  assert.ok(problems.length <= 21);
  for (const problem of problems) {
    // Places and the names of fields; nothing that came from outside.
    assert.match(problem, /^((body|(events|entry)[a-z_.[\]\d]*): [\w ,.":-]+|and more)$/);
    assert.ok(!problem.includes(secret));
  }
}

function assertSoundEvent({ key, kind, detail, contact, contactAlias, happenedAt }: ParsedEvent): void {
  for (const id of [key, contact, contactAlias]) {
    if (id === null) continue;
    assert.ok(id.length > 0 && id.isWellFormed() && !id.includes('\0'));
    // A row of a PostgreSQL index holds 2,704 bytes, the bot and the platform among them.
    assert.ok(Buffer.byteLength(id) < 2_500);
  }
  assert.ok(eventKinds.includes(kind));
  if (detail !== null) assert.match(detail, /^\P{C}{1,64}$/u);
  assert.ok(contactAlias === null || (contact !== null && contact !== contactAlias));
  assert.ok(Number.isInteger(happenedAt));
  assert.ok(happenedAt >= Date.UTC(2000, 0, 1) && happenedAt < Date.UTC(2200, 0, 1));
}

/** The index names keys by hand: by id where there is one, else by kind, sender and a time that the hash holds, too. */
function isSameKey(key: string, expected: string): boolean {
  const [name = '', ...rest] = expected.split(':');
  const id = rest.join(':');
  if (name === 'webhookEventId') return key === id;
  if (name === 'mid' || name === 'wamid') return key.endsWith(`:${id}`) && !key.includes(' ');
  if (name === 'status') return key === expected;
  if (name === 'id') return key.endsWith(`:${id}`);
  return key.startsWith(name) || key.startsWith(`message_${name}:`);
}

function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, backwards(member)]),
  );
}

/** The JSON text with its `place`-th value (counted round) put in another's stead, or left out when that is undefined. */
function withValueReplaced(text: string, place: number, intruder: unknown): string {
  let values = 0;
  JSON.parse(text, (_, value) => {
    values += 1;
    return value;
  });
  let index = 0;
  const changed: unknown = JSON.parse(text, (_, value) => {
    index += 1;
    return index - 1 === place % values ? intruder : value;
  });
  return writtenJson(changed);
}

function writtenJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member)) ?? '';
  } catch {
    return '';
  }
}
