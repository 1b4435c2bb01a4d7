/**
 * Stopping under load: no request in progress fails.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import { rawConnection, requestHead } from './harness/raw-connection.ts';
import { testServer } from './harness/server.ts';

test('the next request on each keep-alive connection is answered with Connection: close while the server drains', async (t) => {
  const server = await testServer(t, { drainSeconds: 30 });
  const connections = await Promise.all(Array.from({ length: 30 }, () => rawConnection(t, server.address)));
  for (const connection of connections) {
    connection.write(requestHead('GET', '/healthz'));
    assert.doesNotMatch(await connection.received(/ok/), /connection: close/i);
  }
  const drained = server.drain();
  assert.equal((await fetch(`${server.address}/readyz`)).status, 503);
  for (const connection of connections) {
    connection.write(requestHead('GET', '/healthz'));
    assert.match(await connection.closed, /ok.*200 OK\r\n.*connection: close.*ok/is);
  }
  await drained;
  await server.close();
});

test('a call that opens a connection soon after the start of the drain is answered', async (t) => {
  const server = await testServer(t, { drainSeconds: 30 });
  const stopped = server.drain().then(() => server.close());
  for (let call = 0; call < 5; call += 1) {
    assert.equal((await fetch(`${server.address}/healthz`)).status, 200);
    await pause(60);
  }
  await stopped;
});

test('clients that reuse connections while the server stops lose no request', async (t) => {
  const server = await testServer(t, { drainSeconds: 2 });
  const outcomes: string[] = [];
  let isReady = true;
  const watch = async () => {
    while (isReady) {
      isReady = await fetch(`${server.address}/readyz`).then(({ status }) => status === 200);
      await pause(20);
    }
  };
  const send = async () => {
    // Like a proxy, it uses a connection until the server closes it, and opens a new one while the server is ready.
    while (isReady) {
      const client = new Client(server.address, { pipelining: 1 });
      for (let isOpen = true; isOpen; ) {
        const { statusCode, headers, body } = await client.request({ method: 'GET', path: '/healthz' });
        await body.dump();
        outcomes.push(`${statusCode}`);
        isOpen = headers.connection !== 'close';
      }
      await client.close();
    }
  };
  const senders = Promise.all(Array.from({ length: 10 }, send));
  const watching = watch();
  while (outcomes.length < 100) await pause(10);
  const stopped = server.drain().then(() => server.close());
  await Promise.all([senders, watching, stopped]);
  assert.deepEqual([...new Set(outcomes)], ['200']);
});

test('an idle connection is closed after the drain time, and half a request does not keep the server open', async (t) => {
  const server = await testServer(t, { drainSeconds: 1 }, { requestMsMax: 2_000 });
  const idle = await rawConnection(t, server.address);
  idle.write(requestHead('GET', '/healthz'));
  await idle.received(/ok/);
  const half = await rawConnection(t, server.address);
  half.write('GET /healthz HTTP/1.1\r\n');
  await server.drain();
  await server.close();
  await Promise.all([idle.closed, half.closed]);
});
