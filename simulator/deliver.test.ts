import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { deliver } from './deliver.ts';
import { type Delivery, signed } from './platforms.ts';

test('a delivery is sent again until it is answered 200, with the same bytes and signature', async (t) => {
  const seen: { url: string | undefined; signature: unknown; body: string }[] = [];
  const address = await serve(t, (request) => {
    seen.push(request);
    return seen.length < 3 ? 503 : 200;
  });
  const outcome = await deliver([delivery('first')], { address, botId: 'bot' });
  assert.deepEqual(outcome, { accepted: 1, refused: 0, resent: 2, lost: 0 });
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen.map((request) => JSON.stringify(request))).size, 1);
  assert.equal(seen[0]?.url, '/webhooks/bot/line');
  assert.equal(seen[0]?.signature, delivery('first').header.value);
});

test('a forged delivery must be answered 401', async (t) => {
  const forged = { ...delivery('forged'), forged: true };
  const address = await serve(t, ({ body }) => (body === 'forged' ? 401 : 200));
  const both = await deliver([forged, delivery('true')], { address, botId: 'bot' });
  assert.deepEqual(both, { accepted: 1, refused: 1, resent: 0, lost: 0 });
  const careless = await serve(t, () => 200);
  const lost = await deliver([forged], { address: careless, botId: 'bot', attemptsMax: 1 });
  assert.deepEqual(lost, { accepted: 0, refused: 0, resent: 0, lost: 1 });
});

test('a delivery that is never answered is given up after its attempts', async () => {
  const outcome = await deliver([delivery('any')], {
    address: 'http://127.0.0.1:1',
    botId: 'bot',
    attemptsMax: 3,
  });
  assert.deepEqual(outcome, { accepted: 0, refused: 0, resent: 2, lost: 1 });
});

test('no more requests are under way than there are connections, and progress is told for each delivery', async (t) => {
  let underWay = 0;
  let mostUnderWay = 0;
  const address = await serve(t, async () => {
    underWay += 1;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    await new Promise((resolve) => setTimeout(resolve, 5));
    underWay -= 1;
    return 200;
  });
  let told = 0;
  const deliveries = Array.from({ length: 40 }, (_, place) => delivery(`${place}`));
  const onDone = () => {
    told += 1;
  };
  const outcome = await deliver(deliveries, { address, botId: 'bot', connections: 4, onDone });
  assert.equal(outcome.accepted, 40);
  assert.equal(told, 40);
  assert.equal(mostUnderWay, 4);
});

test('an abort stops the sending', async (t) => {
  const address = await serve(t, () => 200);
  const stop = new AbortController();
  const deliveries = Array.from({ length: 10 }, (_, place) => delivery(`${place}`));
  const outcome = await deliver(deliveries, {
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

type Seen = { url: string | undefined; signature: unknown; body: string };

async function serve(t: TestContext, answer: (request: Seen) => number | Promise<number>): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      const signature = request.headers['x-line-signature'];
      response.statusCode = await answer({
        url: request.url,
        signature,
        body: Buffer.concat(parts).toString(),
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
