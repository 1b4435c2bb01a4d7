import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Delivery, signed } from './events/delivery.ts';
import { sendDeliveries } from './send-deliveries.ts';

test('a delivery is repeated with the same bytes and signature until the answer is 200', async (t) => {
  const requests: { url: string | undefined; signature: unknown; body: string }[] = [];
  const address = await serve(t, (request) => {
    requests.push(request);
    return requests.length < 3 ? 503 : 200;
  });
  const outcome = await sendDeliveries([delivery('first')], { address, botId: 'bot' });
  assert.deepEqual(outcome, { accepted: 1, refused: 0, resent: 2, lost: 0 });
  assert.equal(requests.length, 3);
  assert.equal(new Set(requests.map((request) => JSON.stringify(request))).size, 1);
  assert.equal(requests[0]?.url, '/webhooks/bot/line');
  assert.equal(requests[0]?.signature, delivery('first').header.value);
});

test('any answer but 401 to a forged delivery is a loss', async (t) => {
  const forged = { ...delivery('forged'), isForged: true };
  const address = await serve(t, ({ body }) => (body === 'forged' ? 401 : 200));
  const both = await sendDeliveries([forged, delivery('true')], { address, botId: 'bot' });
  assert.deepEqual(both, { accepted: 1, refused: 1, resent: 0, lost: 0 });
  const careless = await serve(t, () => 200);
  const lost = await sendDeliveries([forged], { address: careless, botId: 'bot', attemptsMax: 1 });
  assert.deepEqual(lost, { accepted: 0, refused: 0, resent: 0, lost: 1 });
});

test('a delivery without an answer is lost after the last attempt', async () => {
  const outcome = await sendDeliveries([delivery('any')], {
    address: 'http://127.0.0.1:1',
    botId: 'bot',
    attemptsMax: 3,
  });
  assert.deepEqual(outcome, { accepted: 0, refused: 0, resent: 2, lost: 1 });
});

test('concurrent requests are limited to the connections, and each delivery is reported as progress', async (t) => {
  let concurrent = 0;
  let mostConcurrent = 0;
  const address = await serve(t, async () => {
    concurrent += 1;
    mostConcurrent = Math.max(mostConcurrent, concurrent);
    await new Promise((resolve) => setTimeout(resolve, 5));
    concurrent -= 1;
    return 200;
  });
  let progress = 0;
  const deliveries = Array.from({ length: 40 }, (_, index) => delivery(`${index}`));
  const onDone = () => {
    progress += 1;
  };
  const outcome = await sendDeliveries(deliveries, { address, botId: 'bot', connections: 4, onDone });
  assert.equal(outcome.accepted, 40);
  assert.equal(progress, 40);
  assert.equal(mostConcurrent, 4);
});

test('an abort signal stops the sending', async (t) => {
  const address = await serve(t, () => 200);
  const stop = new AbortController();
  const deliveries = Array.from({ length: 10 }, (_, index) => delivery(`${index}`));
  const outcome = await sendDeliveries(deliveries, {
    address,
    botId: 'bot',
    connections: 1,
    onDone: ({ accepted }) => accepted === 3 && stop.abort(),
    signal: stop.signal,
  });
  assert.deepEqual(outcome, { accepted: 3, refused: 0, resent: 0, lost: 0 });
});

function delivery(text: string): Delivery {
  return signed('line', Buffer.from(text), 'secret');
}

type SeenRequest = { url: string | undefined; signature: unknown; body: string };

async function serve(
  t: TestContext,
  answer: (request: SeenRequest) => number | Promise<number>,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const signature = request.headers['x-line-signature'];
      response.statusCode = await answer({
        url: request.url,
        signature,
        body: Buffer.concat(chunks).toString(),
      });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
