import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import Fastify from 'fastify';
import { closeSilentConnections } from './silent-connections.ts';

const closeMsMax = 10_000;

test('a closing server closes connections without a request, and waits for those with a running answer', async () => {
  const app = Fastify({ forceCloseConnections: 'idle' });
  closeSilentConnections(app);
  const requested = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  app.get('/', () => {
    requested.resolve();
    return answer.promise;
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const text = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
  await requested.promise;
  const closedSilent = once(silent, 'close');
  const closed = app.close();
  await closedSilent;
  answer.resolve('done');
  assert.equal(await text, 'done');
  const timer = AbortSignal.timeout(closeMsMax);
  await Promise.race([closed, once(timer, 'abort').then(() => assert.fail('the server stays open'))]);
});
