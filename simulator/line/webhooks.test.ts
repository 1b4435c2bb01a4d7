/** The simulator's webhooks: signatures, redelivery, and disturbances on demand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateSignature, type webhook } from '@line/bot-sdk';
import {
  lineClient,
  type Receiver,
  testLineSimulator,
  webhookReceiver,
} from '../../tests/harness/line-simulator.ts';
import type { Truth } from './truth.ts';

const unanswered = 'http://127.0.0.1:1/webhook';
const idsOf = ({ events }: Receiver) => events().map(({ webhookEventId }) => webhookEventId);
const tokenOf = (event: webhook.Event) => ('replyToken' in event ? event.replyToken : undefined);
const statesOf = ({ events }: Truth) =>
  events.map(({ state }) => state).filter((state) => state !== 'unsent');

test('every webhook has a valid signature and the account’s id', async (t) => {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t, { webhook: webhook.url });
  await simulator.control.run({ days: 3 });
  assert.ok(webhook.received.length > 20, String(webhook.received.length));
  for (const { body, signature, callback } of webhook.received) {
    assert.ok(validateSignature(body, simulator.credentials.channelSecret, signature));
    assert.equal(validateSignature(body, 'another secret', signature), false);
    assert.equal(callback.destination, simulator.credentials.destination);
  }
  const ids = idsOf(webhook);
  assert.equal(new Set(ids).size, ids.length, 'without disturbance each event is delivered once');
  for (const { webhookEventId, timestamp, deliveryContext } of webhook.events()) {
    assert.match(webhookEventId, /^[0-9A-HJKMNP-TV-Z]{26}$/);
    assert.equal(deliveryContext.isRedelivery, false);
    assert.ok(timestamp <= simulator.control.now());
  }
});

test('events before a webhook is set, or while it is inactive, are never delivered', async (t) => {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t);
  const client = lineClient(simulator);
  await simulator.control.act({ action: 'follow' });
  await client.setWebhookEndpoint({ endpoint: webhook.url });
  const { webhookEventId } = await simulator.control.act({ action: 'follow' });
  simulator.control.set({ webhook: { active: false } });
  await simulator.control.act({ action: 'follow' });
  simulator.control.set({ webhook: { active: true } });
  await simulator.control.run({ minutes: 2 });
  assert.deepEqual(idsOf(webhook), [webhookEventId]);
  assert.deepEqual(
    simulator.control.deliveredEvents().map(({ id }) => id),
    [webhookEventId],
  );
});

test('an event without a 2xx answer is redelivered with the same id and time', async (t) => {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t, { webhook: webhook.url, people: 0 });
  webhook.status = 500;
  const { webhookEventId, at } = await simulator.control.act({ action: 'follow' });
  await simulator.control.run({ minutes: 2 });
  webhook.status = 204;
  await simulator.control.run({ minutes: 10 });
  await simulator.control.run({ days: 2 });
  const received = webhook
    .events()
    .map((event) => [event.webhookEventId, event.timestamp, event.deliveryContext.isRedelivery]);
  assert.deepEqual(received, [
    [webhookEventId, at, false],
    [webhookEventId, at, true],
    [webhookEventId, at, true],
  ]);
  const [event] = simulator.control.truth().events;
  assert.deepEqual([event?.state, event?.attempts, event?.deliveredAt], ['delivered', 3, at + 6 * 60_000]);
});

test('an answer after more than 2 s counts as none', async (t) => {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t, { webhook: webhook.url, people: 0 });
  webhook.status = null;
  const startedAt = performance.now();
  await simulator.control.act({ action: 'follow' });
  const ms = performance.now() - startedAt;
  assert.ok(ms > 1_900 && ms < 4_000, `${ms} ms`);
  assert.deepEqual(statesOf(simulator.control.truth()), ['waiting']);
  webhook.status = 200;
  await simulator.control.run({ minutes: 1 });
  assert.deepEqual(statesOf(simulator.control.truth()), ['delivered']);
});

test('redelivery ends after some attempts, and does not start when it is disabled', async (t) => {
  const simulator = await testLineSimulator(t, { webhook: unanswered, people: 0 });
  await simulator.control.act({ action: 'follow' });
  await simulator.control.run({ days: 3 });
  assert.deepEqual(statesOf(simulator.control.truth()), ['lost']);
  assert.equal(simulator.control.truth().events[0]?.attempts, 9);
  simulator.control.set({ webhook: { redelivery: false } });
  await simulator.control.act({ action: 'follow' });
  await simulator.control.run({ days: 3 });
  assert.deepEqual(statesOf(simulator.control.truth()), ['lost', 'lost']);
  assert.equal(simulator.control.truth().events[1]?.attempts, 1);
});

test('with disturbances events are batched, repeated and late, and none is missing', async (t) => {
  const webhook = await webhookReceiver(t);
  const disturbance = { batchMax: 10, repeatShare: 0.3, lateMinutesMax: 120 };
  const simulator = await testLineSimulator(t, { webhook: webhook.url, disturbance, people: 200 });
  await simulator.control.run({ days: 3, stepMinutes: 10 });
  simulator.control.set({ webhook: { lateMinutesMax: 0 } });
  await simulator.control.run({ hours: 3 });
  const ids = idsOf(webhook);
  const times = webhook.events().map(({ timestamp }) => timestamp);
  const truth = simulator.control.truth();
  const sentIds = truth.events.filter(({ state }) => state !== 'unsent').map((event) => event.webhookEventId);
  assert.deepEqual([...new Set(ids)].sort(), sentIds.sort());
  assert.ok(ids.length > new Set(ids).size * 1.1, 'some events are repeated');
  assert.ok(
    times.some((at, index) => index > 0 && at < (times[index - 1] ?? 0)),
    'some events are late',
  );
  assert.ok(
    webhook.received.some(({ callback }) => callback.events.length > 3),
    'some events are batched',
  );
});

test('a module channel controls every tenth chat: its events are standby without a reply token, except for requested actions', async (t) => {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t, { webhook: webhook.url, people: 400 });
  await simulator.control.run({ days: 5, stepMinutes: 60 });
  const modes = new Map<string, Set<string>>();
  for (const event of webhook.events()) {
    const { source, mode, type } = event;
    const chat = source?.type === 'group' ? source.groupId : (source?.userId ?? '');
    modes.set(chat, (modes.get(chat) ?? new Set()).add(mode));
    if (type === 'message') assert.equal(tokenOf(event) !== undefined, mode === 'active');
  }
  assert.ok([...modes.values()].every(({ size }) => size === 1));
  const standby = [...modes].filter(([, ofChat]) => ofChat.has('standby')).map(([chat]) => chat);
  assert.ok(standby.length > 0.05 * modes.size && standby.length < 0.2 * modes.size, String(standby.length));
  const userId = standby.find((chat) => chat.startsWith('U')) ?? '';
  await simulator.control.act({ action: 'write', userId });
  const requested = webhook.events().at(-1);
  assert.ok(requested && tokenOf(requested));
  assert.deepEqual([requested.source?.userId, requested.mode], [userId, 'active']);
});

test('a reply token is valid once, for a minute after the webhook', async (t) => {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t, { webhook: webhook.url });
  const client = lineClient(simulator);
  for (let turn = 0; turn < 2; turn++) await simulator.control.act({ action: 'write' });
  const tokens = webhook.events().map(tokenOf);
  const reply = (replyToken = '') =>
    client.replyMessage({ replyToken, messages: [{ type: 'text', text: 'Hello' }] });
  await reply(tokens[0]);
  await assert.rejects(reply(tokens[0]), /400/);
  await simulator.control.run({ seconds: 61 });
  await assert.rejects(reply(tokens[1]), /400/);
});

test('the webhook test returns the result of the request', async (t) => {
  const webhook = await webhookReceiver(t);
  const simulator = await testLineSimulator(t);
  const client = lineClient(simulator);
  await assert.rejects(client.testWebhookEndpoint(), /404/);
  await assert.rejects(client.getWebhookEndpoint(), /404/);
  await assert.rejects(client.setWebhookEndpoint({ endpoint: 'ftp://example.com' }), /400/);
  assert.deepEqual(await client.setWebhookEndpoint({ endpoint: webhook.url }), {});
  assert.deepEqual(await client.getWebhookEndpoint(), { endpoint: webhook.url, active: true });
  const { timestamp, ...good } = await client.testWebhookEndpoint();
  assert.equal(String(timestamp), '2026-03-18T03:00:00.000Z');
  assert.deepEqual(good, { success: true, statusCode: 200, reason: 'OK', detail: '200' });
  const [empty] = webhook.received;
  assert.deepEqual(empty?.callback.events, []);
  assert.ok(
    validateSignature(empty?.body ?? '', simulator.credentials.channelSecret, empty?.signature ?? ''),
  );
  webhook.status = 401;
  const { success, reason, detail } = await client.testWebhookEndpoint({ endpoint: webhook.url });
  assert.deepEqual(
    { success, reason, detail },
    { success: false, reason: 'ERROR_STATUS_CODE', detail: '401' },
  );
  const away = await client.testWebhookEndpoint({ endpoint: unanswered });
  assert.deepEqual([away.success, away.statusCode, away.reason], [false, 0, 'COULD_NOT_CONNECT']);
});

test('people react to a send: they tap buttons, watch videos to the end, and open links', async (t) => {
  const webhook = await webhookReceiver(t);
  const opened = await webhookReceiver(t);
  opened.status = 302;
  const simulator = await testLineSimulator(t, { webhook: webhook.url, people: 200, opensLinks: true });
  const url = opened.url;
  await lineClient(simulator).broadcast({
    messages: [
      { type: 'text', text: `Look: ${url}?from=here ` },
      {
        type: 'video',
        originalContentUrl: 'https://example.com/v.mp4',
        previewImageUrl: 'https://example.com/v.jpg',
        trackingId: 'spring-film',
      },
      {
        type: 'template',
        altText: 'Buttons',
        template: {
          type: 'buttons',
          text: 'Choose',
          actions: [
            { type: 'postback', label: 'This', data: 'choice=this' },
            { type: 'uri', label: 'There', uri: 'https://example.com/there' },
          ],
        },
      },
    ],
  });
  await simulator.control.run({ days: 2, stepMinutes: 60 });
  const events = webhook.events();
  const taps = events.filter((event) => event.type === 'postback' && event.postback.data === 'choice=this');
  const films = events.filter(
    (event) => event.type === 'videoPlayComplete' && event.videoPlayComplete.trackingId === 'spring-film',
  );
  assert.ok(taps.length > 5 && films.length > 5, `${taps.length} taps, ${films.length} films`);
  const [send] = simulator.control.truth().sends;
  assert.deepEqual(
    send?.clicks.map((click) => [click.seq, click.url]),
    [
      [1, `${url}?from=here`],
      [3, 'https://example.com/there'],
    ],
  );
  assert.equal(opened.received.length, send?.clicks[0]?.clicks);
});
