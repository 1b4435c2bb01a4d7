/**
 * The reference server: Fastify alone, in a separate process, without a database.
 *
 * Its webhook route reads the body as bytes and checks LINE's signature. Its other routes answer with the bytes that its parent sent
 * last. Its push route accepts any message, its profile route knows every person, and its check of tokens accepts each, like LINE. It
 * sends its port to its parent.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import { verifiedChannelId } from './line-deliveries.ts';

export type BareMessage = { answer: string };
export type BareHello = { port: number };

const bodyBytesMax = 3 * 1024 * 1024;
const secret = process.argv[2] ?? '';
let answer = '{}';

const app = Fastify({ forceCloseConnections: 'idle' });
await app.register(async (scope) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyBytesMax }, (_request, body, done) => {
    done(null, body);
  });
  scope.post<{ Body: Buffer }>('/webhooks/:botId/:platform', async (request, reply) => {
    const expected = createHmac('sha256', secret).update(request.body).digest();
    const signature = Buffer.from(String(request.headers['x-line-signature']), 'base64');
    const isValid = signature.length === expected.length && timingSafeEqual(signature, expected);
    return isValid ? 'OK' : reply.code(401).send('signature missing or wrong');
  });
});
app.post('/v2/bot/message/push', async (_request, reply) => {
  reply.header('x-line-request-id', randomUUID());
  return { sentMessages: [{ id: '461230966842064897', quoteToken: 'IStG5h1Tz7b' }] };
});
app.get<{ Params: { userId: string } }>('/v2/bot/profile/:userId', async ({ params: { userId } }) => ({
  ...{ userId, displayName: '王小明', pictureUrl: 'https://profile.line-scdn.net/0h1', language: 'zh-TW' },
}));
app.get('/oauth2/v2.1/verify', async () => ({
  client_id: verifiedChannelId,
  expires_in: 2_591_659,
  scope: '',
}));
app.post('/openapi/clients/analysis', async (_request, reply) => {
  reply.type('application/json; charset=utf-8');
  return answer;
});

app.get('/v2/bot/insight/followers', async (_request, reply) => {
  reply.type('application/json; charset=utf-8');
  return answer;
});

process.on('disconnect', () => process.exit());
process.on('message', (message: BareMessage) => {
  answer = message.answer;
  process.send?.('ready');
});
const address = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
const hello: BareHello = { port: Number(address.port) };
process.send?.(hello);
