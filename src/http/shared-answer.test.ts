import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { sendShared } from './shared-answer.ts';

const type = 'application/json; charset=utf-8';

test('calls that share an answer get the same bytes, serialized once, each with its own headers', async (t) => {
  let serialized = 0;
  const answer = {
    name: '台北 ☕ 👋 é',
    get count() {
      serialized += 1;
      return 1;
    },
  };
  const app = Fastify();
  t.after(() => app.close());
  app.get('/at-once/:id', (request, reply) => {
    reply.header('x-call', (request.params as { id: string }).id);
    return sendShared(reply, answer);
  });
  app.get('/later', async (_request, reply) => {
    await Promise.resolve();
    return sendShared(reply.code(201), answer);
  });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const bytes = Buffer.from('{"name":"台北 ☕ 👋 é","count":1}');
  for (const id of ['a', 'b']) {
    const response = await fetch(`${address}/at-once/${id}`);
    const { headers } = response;
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
    assert.deepEqual(
      [response.status, headers.get('x-call'), headers.get('content-type'), headers.get('content-length')],
      [200, id, type, String(bytes.length)],
    );
  }
  const later = await fetch(`${address}/later`);
  assert.deepEqual([later.status, Buffer.from(await later.arrayBuffer())], [201, bytes]);
  const head = await fetch(`${address}/at-once/c`, { method: 'HEAD' });
  assert.deepEqual([head.headers.get('content-length'), await head.text()], [String(bytes.length), '']);
  assert.equal(serialized, 1);
});
