import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { wildShipping } from '../tests/harness/shipping.ts';
import { type ChannelKeys, deliveriesOf, usualShipping } from './deliveries.ts';
import { type Delivery, signed } from './events/delivery.ts';
import { SeededRandom } from './events/random.ts';
import { createWorld } from './world.ts';

const until = Date.parse('2026-03-20T04:00:00Z');
const channels: ChannelKeys = {
  line: { accountId: `U${'d'.repeat(32)}`, secret: 'secret of line' },
  facebook: { accountId: '144792899659708', secret: 'secret of facebook' },
  instagram: { accountId: '17841165216900097', secret: 'secret of instagram' },
  whatsapp: { accountId: '210924782137726', secret: 'secret of whatsapp' },
};

test('signatures equal the published examples', () => {
  const body = (file: string) => readFileSync(new URL(`../tests/fixtures/webhooks/${file}`, import.meta.url));
  assert.deepEqual(signed('line', body('line/message-text.json'), 'channel-secret-for-tests').header, {
    name: 'x-line-signature',
    value: 'djXBRDbQNByQyt+hiT/d8BNENddxIgr3LIUanGR+w7g=',
  });
  assert.deepEqual(
    signed('whatsapp', body('whatsapp/message-text-unicode.json'), 'app-secret-for-tests').header,
    {
      name: 'X-Hub-Signature-256',
      value: 'sha256=a3172afd47c2aa3ff071bc43673384354804ee52d56f856fa06b826f947d32e3',
    },
  );
});

test('genuine deliveries are signed with the channel secret, forged ones are not', () => {
  const deliveries = deliveriesOf(world().events, channels, new SeededRandom(1), wildShipping);
  assert.ok(deliveries.some(({ isForged }) => isForged));
  for (const delivery of deliveries) assert.equal(isGenuine(delivery), !delivery.isForged);
});

test('Meta bodies are ASCII with escapes in lower-case hex, LINE bodies contain the characters', () => {
  const deliveries = deliveriesOf(world().events, channels, new SeededRandom(1), usualShipping);
  const texts = (line: boolean) =>
    deliveries
      .filter(({ platform }) => (platform === 'line') === line)
      .map(({ body }) => Buffer.from(body).toString());
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
  assert.ok(texts(false).every((text) => /^[\u0000-\u007e]*$/.test(text) && !/\\u[0-9a-f]*[A-F]/.test(text)));
  assert.ok(texts(false).some((text) => text.includes('\\ud83d\\ude00')));
  assert.ok(texts(true).some((text) => text.includes('😀')));
});

test('every event is delivered, some are repeated or batched, and repeated LINE events are marked', () => {
  const { events } = world();
  const deliveries = deliveriesOf(events, channels, new SeededRandom(3), wildShipping).filter(
    ({ isForged }) => !isForged,
  );
  const text = deliveries.map(({ body }) => Buffer.from(body).toString()).join('\n');
  const ids = events
    .filter(({ platform, kind }) => platform === 'line' || kind === 'message' || kind === 'answer')
    .map(({ id }) => id);
  for (const id of ids) assert.ok(text.includes(id), id);
  assert.ok(deliveries.length < events.length * 1.5);
  const lineEvents = deliveries.filter(({ platform }) => platform === 'line').flatMap(lineEventsOf);
  const byId = Map.groupBy(lineEvents, ({ webhookEventId }) => webhookEventId);
  const repeated = [...byId.values()].filter((same) => same.length > 1);
  assert.ok(repeated.length > 0);
  assert.ok(repeated.every((same) => same.some(({ deliveryContext }) => !deliveryContext.isRedelivery)));
  assert.ok(repeated.some((same) => same.some(({ deliveryContext }) => deliveryContext.isRedelivery)));
  const bodies = deliveries.map(({ body }) => Buffer.from(body).toString());
  assert.ok(new Set(bodies).size < bodies.length);
});

test('usual shipping is roughly in order, wild shipping in any order', () => {
  const inOrder = (shipping: typeof usualShipping) => {
    const times = deliveriesOf(world().events, channels, new SeededRandom(4), shipping)
      .filter(({ platform }) => platform === 'line')
      .map((delivery) => lineEventsOf(delivery)[0]?.timestamp ?? 0);
    return times.filter((time, index) => index > 0 && time >= (times[index - 1] ?? 0)).length / times.length;
  };
  assert.ok(inOrder({ ...usualShipping, delayMax: 0, repeatShare: 0 }) > 0.99);
  assert.ok(inOrder(usualShipping) < 0.95);
  assert.ok(inOrder(wildShipping) < 0.6);
});

function world() {
  return createWorld({ seed: 8, until, people: 60 });
}

function isGenuine({ platform, body, header }: Delivery): boolean {
  const hmac = createHmac('sha256', channels[platform].secret).update(body);
  return header.value === (platform === 'line' ? hmac.digest('base64') : `sha256=${hmac.digest('hex')}`);
}

type LineEvent = { webhookEventId: string; timestamp: number; deliveryContext: { isRedelivery: boolean } };

function lineEventsOf({ body }: Delivery): LineEvent[] {
  return JSON.parse(Buffer.from(body).toString()).events;
}
