import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import Fastify from 'fastify';
import { sendAnswer } from './answers.ts';

test('a download that starts after its call was answered ends at once', async () => {
  const app = Fastify();
  const stream = new PassThrough();
  const started = Promise.withResolvers<PassThrough>();
  app.get('/', async (request, reply) => {
    const download = { type: 'text/csv', fileName: 'file.csv', content: () => started.promise };
    const outcome = sendAnswer(download, request, reply, { status: 200, isTagged: false });
    // As when the database is silent.
    reply.code(503).send('silent');
    started.resolve(stream);
    return outcome;
  });
  const { statusCode, headers } = await app.inject('/');
  if (!stream.closed) await once(stream, 'close');
  assert.deepEqual([statusCode, headers['content-disposition']], [503, undefined]);
});
