/** Meta's handshake: a `GET` that proves that the webhook's address is the business's, before Meta delivers to it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { verifyHandshake } from '../platforms/meta.ts';
import { findChannel, type ReceiveOptions } from './receive.ts';
import { isWebhookPlatform, refuse, refuseForNow } from './refusal.ts';

type Handshake = { Params: { botId: string; platform: string }; Querystring: Record<string, unknown> };
type HandshakeRequest = FastifyRequest<Handshake>;

/** Adds `GET /webhooks/{botId}/{platform}` to the server. */
export function registerHandshake(app: FastifyInstance, options: ReceiveOptions): void {
  app.get<Handshake>('/webhooks/:botId/:platform', (request, reply) => shakeHands(request, reply, options));
}

async function shakeHands(
  request: HandshakeRequest,
  reply: FastifyReply,
  options: ReceiveOptions,
): Promise<unknown> {
  const { botId, platform: name } = request.params;
  const isMeta = isWebhookPlatform(name) && name !== 'line';
  const channel = isMeta ? await findChannel(botId, name, options) : null;
  if (channel === 'unavailable') return refuseForNow(reply, name, options);
  if (!channel?.verifyToken)
    return refuse(reply, 404, 'unknown bot or channel', name, 'unknown-channel', options);
  const challenge = verifyHandshake(request.query, channel.verifyToken);
  if (challenge === null) return refuse(reply, 403, 'verify token wrong', name, 'bad-handshake', options);
  options.received(name, 'handshake');
  return reply.type('text/plain').send(challenge);
}
