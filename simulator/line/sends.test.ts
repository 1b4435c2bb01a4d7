/** The send calls with LINE's official client. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { HTTPFetchError, type LineBotClient } from '@line/bot-sdk';
import {
  lineClient,
  simulatorStart,
  testLineSimulator,
  webhookReceiver,
} from '../../tests/harness/line-simulator.ts';
import { hashOfNumber, numberOf } from './people.ts';
import type { LineSimulator, LineSimulatorOptions } from './simulator.ts';

const hello = [{ type: 'text' as const, text: 'Hello' }];
const retryKey = '123e4567-e89b-12d3-a456-426614174000';

type Setup = { simulator: LineSimulator; client: LineBotClient; userIds: string[] };

async function setUp(t: TestContext, options: LineSimulatorOptions = {}): Promise<Setup> {
  const simulator = await testLineSimulator(t, options);
  const client = lineClient(simulator);
  const { userIds } = await client.getFollowers(undefined, 1_000);
  return { simulator, client, userIds };
}

/** Status, body and accepted request id of a call that fails. */
async function errorOf(
  call: Promise<unknown>,
): Promise<{ status: number; body: unknown; accepted: string | null }> {
  const error = await call.then(
    () => assert.fail('the call was answered'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof HTTPFetchError, String(error));
  assert.match(error.headers.get('x-line-request-id') ?? '', /^[0-9a-f-]{36}$/);
  const accepted = error.headers.get('x-line-accepted-request-id');
  return { status: error.status, body: JSON.parse(error.body), accepted };
}

test('a push to a telephone number reaches the person with the number, and is counted by its own counters', async (t) => {
  const { simulator, client, userIds } = await setUp(t);
  const to = hashOfNumber(numberOf(userIds[0] ?? ''));
  await client.pushMessagesByPhone({ to, messages: hello });
  const unknown = { to: hashOfNumber('+8869'), messages: hello };
  const failed = { message: 'Failed to send messages' };
  assert.deepEqual(await errorOf(client.pushMessagesByPhone(unknown)), {
    ...{ status: 422, body: failed, accepted: null },
  });
  const post = (body: object) =>
    fetch(`${simulator.address}/v2/bot/message/pnp/templated/push`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${simulator.credentials.accessToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ to, ...body }),
    });
  assert.equal((await post({ templateKey: 'shipment_completed_ja' })).status, 202);
  assert.equal((await post({})).status, 400);
  const sends = simulator.control.truth().sends;
  assert.deepEqual(
    sends.map(({ kind, recipients }) => [kind, recipients]),
    [
      ['pnp', [userIds[0]]],
      ['pnp-templated', [userIds[0]]],
    ],
  );
  await simulator.control.run({ hours: 48 });
  assert.deepEqual(await client.getPNPMessageStatistics('20260318'), { status: 'ready', success: 1 });
});

test('each of the five calls reaches its recipients, and is counted per recipient', async (t) => {
  const webhook = await webhookReceiver(t);
  const { simulator, client, userIds } = await setUp(t, { webhook: webhook.url });
  const [a = '', b = ''] = userIds;
  const pushed = await client.pushMessage({
    to: a,
    messages: [...hello, { type: 'sticker', packageId: '1', stickerId: '2' }],
  });
  assert.equal(pushed.sentMessages.length, 2);
  for (const { id, quoteToken } of pushed.sentMessages) assert.match(`${id} ${quoteToken}`, /^\d{18} q\d+$/);
  assert.deepEqual(await client.multicast({ to: [a, b, b], messages: hello }), {});
  assert.deepEqual(await client.broadcast({ messages: hello }), {});
  const narrowcast = await client.narrowcastWithHttpInfo({ messages: hello });
  assert.equal(narrowcast.httpResponse.status, 202);
  const { userId } = await simulator.control.act({ action: 'write', userId: b });
  const message = webhook.events().find((event) => event.source?.userId === userId);
  const replyToken = message && 'replyToken' in message ? String(message.replyToken) : '';
  assert.equal((await client.replyMessage({ replyToken, messages: hello })).sentMessages.length, 1);

  const sends = simulator.control.truth().sends;
  const reach = sends.map(({ kind, recipients }) => [kind, recipients.length]);
  assert.deepEqual(reach, [
    ['push', 1],
    ['multicast', 2],
    ['broadcast', userIds.length],
    ['narrowcast', userIds.length],
    ['reply', 1],
  ]);
  const { totalUsage } = await client.getMessageQuotaConsumption();
  assert.equal(totalUsage, 3 + 2 * userIds.length, 'a reply is free');
});

test('a send succeeds without the people who block the account', async (t) => {
  const { simulator, client, userIds } = await setUp(t);
  const [a = '', b = ''] = userIds;
  await simulator.control.act({ action: 'block', userId: a });
  await client.pushMessage({ to: a, messages: hello });
  await client.multicast({ to: [a, b], messages: hello });
  await client.broadcast({ messages: hello });
  const recipients = simulator.control.truth().sends.map((send) => send.recipients);
  assert.deepEqual(recipients, [[], [b], userIds.slice(1)]);
});

test('an invalid request gets LINE’s error, and sends nothing', async (t) => {
  const { simulator, client, userIds } = await setUp(t);
  const to = userIds[0] ?? '';
  const call = (messages: unknown) => errorOf(client.broadcast(JSON.parse(JSON.stringify({ messages }))));
  const detail = (message: string, property: string) => ({
    status: 400,
    body: { message: 'The request body has 1 error(s)', details: [{ message, property }] },
    accepted: null,
  });
  assert.deepEqual(await call([]), detail('Size must be between 1 and 5', 'messages'));
  assert.deepEqual(await call(Array(6).fill(hello[0])), detail('Size must be between 1 and 5', 'messages'));
  assert.deepEqual(await call([{ type: 'text', text: '' }]), detail('May not be empty', 'messages[0].text'));
  assert.deepEqual(await call([{}]), detail('May not be empty', 'messages[0].type'));
  const { body } = await call([{ type: 'hologram' }, { type: 'image' }]);
  assert.match(JSON.stringify(body), /3 error\(s\).*messages\[0\]\.type.*messages\[1\]\.originalContentUrl/);
  const property = (name: string) => ({
    message: `The property, ${name}, in the request body is invalid (line: -, column: -)`,
  });
  const multicast = await errorOf(client.multicast({ to: [to, 'C1'], messages: hello }));
  assert.deepEqual(multicast.body, property('to[1]'));
  const unit = { to, messages: hello, customAggregationUnits: ['new-item'] };
  assert.deepEqual((await errorOf(client.pushMessage(unit))).body, property('customAggregationUnits[0]'));
  const unknownPerson = await errorOf(client.pushMessage({ to: `U${'0'.repeat(32)}`, messages: hello }));
  assert.deepEqual(unknownPerson.body, { message: 'Failed to send messages' });
  const reply = await errorOf(client.replyMessage({ replyToken: '0'.repeat(32), messages: hello }));
  assert.deepEqual(reply.body, { message: 'Invalid reply token' });
  assert.deepEqual(simulator.control.truth().sends, []);
});

test('a request that is not JSON, of another type, or too large gets LINE’s error', async (t) => {
  const { address, credentials } = await testLineSimulator(t);
  const post = async (body: string, type = 'application/json') => {
    const response = await fetch(`${address}/v2/bot/message/broadcast`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credentials.accessToken}`, 'content-type': type },
      body,
    });
    return { status: response.status, body: await response.text() };
  };
  const unreadable = await post('{"messages":');
  assert.equal(unreadable.status, 400);
  assert.match(unreadable.body, /The request body could not be parsed as JSON/);
  const typed = await post('a=b', 'application/x-www-form-urlencoded');
  assert.deepEqual(typed, {
    status: 415,
    body: '{"message":"The content type, application/x-www-form-urlencoded, is not supported"}',
  });
  assert.equal((await post(`"${'x'.repeat(2 * 1024 * 1024)}"`)).status, 413);
});

test('a retry key allows a send once', async (t) => {
  const { simulator, client, userIds } = await setUp(t);
  const push = { to: userIds[0] ?? '', messages: hello };
  const first = await client.pushMessageWithHttpInfo(push, retryKey);
  const again = await errorOf(client.pushMessage(push, retryKey));
  assert.deepEqual(again, {
    status: 409,
    body: { message: 'The retry key is already accepted', sentMessages: first.body.sentMessages },
    accepted: first.httpResponse.headers.get('x-line-request-id'),
  });
  assert.equal(simulator.control.truth().sends.length, 1);
  assert.equal((await errorOf(client.broadcast({ messages: hello }, 'mine'))).status, 400);
  await simulator.control.run({ hours: 24, minutes: 1 });
  assert.ok(await client.pushMessage(push, retryKey), 'a key expires after 24 hours');
});

test('a retry key is unused after a failed send, and used after a lost answer', async (t) => {
  const { simulator, client } = await setUp(t);
  const path = '/v2/bot/message/broadcast';
  simulator.control.fail({ kind: 'error', path });
  assert.equal((await errorOf(client.broadcast({ messages: hello }, retryKey))).status, 500);
  simulator.control.fail({ kind: 'cut', path, when: 'after' });
  await assert.rejects(client.broadcast({ messages: hello }, retryKey), TypeError);
  assert.equal((await errorOf(client.broadcast({ messages: hello }, retryKey))).status, 409);
  assert.equal(simulator.control.truth().sends.length, 1);
});

test('beyond the monthly limit only replies are sent', async (t) => {
  const { simulator, client, userIds } = await setUp(t, { quota: 3 });
  const [a = '', b = '', c = '', d = ''] = userIds;
  await client.multicast({ to: [a, b], messages: hello });
  const over = await errorOf(client.multicast({ to: [c, d], messages: hello }));
  assert.equal(over.status, 429);
  assert.deepEqual(over.body, { message: 'You have reached your monthly limit.' });
  await client.pushMessage({ to: c, messages: hello });
  assert.deepEqual(await client.getMessageQuota(), { type: 'limited', value: 3 });
  assert.deepEqual(await client.getMessageQuotaConsumption(), { totalUsage: 3 });
  await simulator.control.run({ until: '2026-04-01T00:00:00+09:00' });
  assert.deepEqual(await client.getMessageQuotaConsumption(), { totalUsage: 0 });
  simulator.control.set({ quota: null });
  assert.deepEqual(await client.getMessageQuota(), { type: 'none' });
});

test('a narrowcast has phases, and can be filtered, limited and repeated to the same people', async (t) => {
  const { simulator, client, userIds } = await setUp(t, { people: 400 });
  const men = { filter: { demographic: { type: 'gender' as const, oneOf: ['male' as const] } } };
  const narrowcast = await client.narrowcastWithHttpInfo({ messages: hello, ...men });
  const requestId = narrowcast.httpResponse.headers.get('x-line-request-id') ?? '';
  const phase = async (id: string) => (await client.getNarrowcastProgress(id)).phase;
  assert.equal(await phase(requestId), 'waiting');
  assert.equal((await client.getMessageEvent(requestId)).overview?.delivered, null);
  await simulator.control.run({ seconds: 10 });
  assert.equal(await phase(requestId), 'sending');
  await simulator.control.run({ seconds: 60 });
  assert.equal(await phase(requestId), 'succeeded');
  const men1 = simulator.control.truth().sends[0]?.recipients ?? [];
  assert.ok(men1.length > 50 && men1.length < userIds.length * 0.6, `${men1.length} of ${userIds.length}`);
  assert.equal((await client.getMessageEvent(requestId)).overview?.delivered, men1.length);

  const others = { type: 'operator' as const, not: { type: 'redelivery' as const, requestId } };
  await client.narrowcast({ messages: hello, recipient: others });
  const rest = simulator.control.truth().sends[1]?.recipients ?? [];
  assert.deepEqual([...men1, ...rest].sort(), [...userIds].sort());
  await client.narrowcast({ messages: hello, limit: { max: 5 } });
  assert.equal(simulator.control.truth().sends[2]?.recipients.length, 5);

  const narrow = { type: 'age' as const, gte: 'age_70' as const };
  const few = await client.narrowcastWithHttpInfo({ messages: hello, filter: { demographic: narrow } });
  await simulator.control.run({ minutes: 1 });
  const failed = await client.getNarrowcastProgress(few.httpResponse.headers.get('x-line-request-id') ?? '');
  assert.deepEqual([failed.phase, failed.errorCode], ['failed', 2]);
  const audience = await errorOf(
    client.narrowcast({ messages: hello, recipient: JSON.parse('{"type":"audience","audienceGroupId":7}') }),
  );
  assert.deepEqual(audience.body, { message: 'Invalid audience group id: 7' });
  assert.equal((await errorOf(client.getNarrowcastProgress(crypto.randomUUID()))).status, 404);
});

test('an account with few friends cannot filter', async (t) => {
  const { client } = await setUp(t, { people: 30 });
  const filter = { demographic: { type: 'gender' as const, oneOf: ['male' as const] } };
  const { status, body } = await errorOf(client.narrowcast({ messages: hello, filter }));
  assert.deepEqual([status, body], [403, { message: 'Your account does not have enough friends' }]);
});

test('aggregation units are recorded by month, and listed in pages', async (t) => {
  const { simulator, client, userIds } = await setUp(t);
  const to = userIds[0] ?? '';
  for (const unit of ['spring_a', 'spring_A', 'spring_a']) {
    await client.pushMessage({ to, messages: hello, customAggregationUnits: [unit] });
  }
  assert.deepEqual(await client.getAggregationUnitUsage(), { numOfCustomAggregationUnits: 2 });
  const page = await client.getAggregationUnitNameList('1');
  assert.deepEqual(page.customAggregationUnits, ['spring_a']);
  const rest = await client.getAggregationUnitNameList('1', page.next);
  assert.deepEqual(rest, { customAggregationUnits: ['spring_A'] });
  const invalidStart = await errorOf(client.getAggregationUnitNameList('1', 'nonsense'));
  assert.deepEqual(invalidStart.body, { message: 'Invalid start param' });
  await simulator.control.run({ until: '2026-04-01T00:00:00+09:00' });
  assert.deepEqual(await client.getAggregationUnitUsage(), { numOfCustomAggregationUnits: 0 });
});

test('validating messages sends nothing', async (t) => {
  const { simulator, client } = await setUp(t);
  await client.validateBroadcast({ messages: hello });
  await client.validatePush({ messages: hello });
  assert.equal((await errorOf(client.validateReply({ messages: [] }))).status, 400);
  assert.deepEqual(simulator.control.truth().sends, []);
  assert.equal(simulator.control.now(), simulatorStart);
});
