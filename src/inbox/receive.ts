/**
 * Receives the platforms' webhooks: finds the channel, checks the signature over the raw bytes, stores, answers.
 *
 *     unknown bot, platform or channel  404    signature missing or wrong  401, nothing kept
 *     (both before the body is read)
 *     over 3 MB                         413    not stored                  503 with Retry-After: the platform sends again
 *     stored (readable or not)          200
 *
 * Sources: LINE "Receive messages (webhook)", Meta "Webhooks: getting started", WhatsApp Cloud API "Webhooks".
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Channel } from '../bots/channels.ts';
import { isOutage, logOutage } from '../database/outage.ts';
import { platforms } from '../platforms/index.ts';
import { verifyHandshake } from '../platforms/meta.ts';
import { type WebhookPlatformName, webhookPlatformNames } from '../platforms/platform.ts';
import type { Clock } from '../time.ts';
import { type GroupCommit, NotStored } from './group-commit.ts';

/** What became of a webhook request; counted in the metrics. */
export type Reception =
  | 'stored'
  | 'bad-signature'
  | 'unknown-channel'
  | 'not-stored'
  | 'handshake'
  | 'bad-handshake';

export type ReceiveOptions = {
  /** The enabled channel with its secrets; null when there is none. `unavailable`: channels cannot be read now. */
  findChannel(botId: string, platform: WebhookPlatformName): Promise<Channel | null | 'unavailable'>;
  inbox: GroupCommit;
  clock: Clock;
  /** Told after each commit that held a delivery of the bot. */
  stored(botId: string): void;
  received(platform: string, reception: Reception): void;
  /** Told of a request for the channel whose signature is missing or wrong. */
  refused(botId: string, platform: WebhookPlatformName): void;
};

const bodyBytesMax = 3 * 1024 * 1024;
const retryAfterSeconds = '2';

type Params = { botId: string; platform: string };
type WebhookRequest = FastifyRequest<{ Params: Params; Body: Buffer; Querystring: Record<string, unknown> }>;

/** Adds `POST` and `GET /webhooks/{botId}/{platform}` to the server. */
export async function registerWebhooks(app: FastifyInstance, options: ReceiveOptions): Promise<void> {
  await app.register(async (scope) => {
    scope.decorateRequest('channel');
    scope.removeAllContentTypeParsers();
    // Whatever type a platform names, even none at all or a broken one, the body is its bytes.
    scope.addHook('onRequest', ({ headers }, _reply, done) => {
      delete headers['content-type'];
      done();
    });
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: bodyBytesMax },
      (_request, body, done) => {
        done(null, body);
      },
    );
    scope.post<{ Params: Params; Body: Buffer }>(
      '/webhooks/:botId/:platform',
      {
        bodyLimit: bodyBytesMax,
        onRequest: (request, reply) => admit(request as WebhookRequest, reply, options),
      },
      (request, reply) => receive(request as WebhookRequest, reply, options),
    );
    scope.get<{ Params: Params; Querystring: Record<string, unknown> }>(
      '/webhooks/:botId/:platform',
      (request, reply) => shakeHands(request as WebhookRequest, reply, options),
    );
  });
}

/** Before the body is read: whether there is such a channel, and whether the request claims a signature. */
async function admit(
  request: WebhookRequest,
  reply: FastifyReply,
  options: ReceiveOptions,
): Promise<FastifyReply | undefined> {
  const { botId, platform: name } = request.params;
  const channel = isWebhookPlatform(name) ? await findChannel(botId, name, options) : null;
  if (channel === 'unavailable') return refuseForNow(reply, name, options);
  if (!channel || !isWebhookPlatform(name))
    return refuse(reply, 404, 'unknown bot or channel', name, 'unknown-channel', options);
  if (request.headers[platforms[name].signatureHeader] === undefined)
    return refuseSignature(reply, { botId, platform: name }, options);
  request.setDecorator('channel', channel);
}

async function receive(
  request: WebhookRequest,
  reply: FastifyReply,
  options: ReceiveOptions,
): Promise<unknown> {
  const { botId } = request.params;
  const name = request.params.platform as WebhookPlatformName;
  const { secrets } = request.getDecorator<Channel>('channel');
  const platform = platforms[name];
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (!platform.verify(body, request.headers[platform.signatureHeader], secrets))
    return refuseSignature(reply, { botId, platform: name }, options);
  try {
    await options.inbox.put({ botId, platform: name, source: 'webhook', body, receivedAt: options.clock() });
  } catch (error) {
    if (!(error instanceof NotStored)) throw error;
    if (isOutage(error.cause)) logOutage(request.server.log, error.cause);
    else request.log.warn({ err: error }, 'delivery not stored');
    return refuseForNow(reply, name, options);
  }
  options.stored(botId);
  options.received(name, 'stored');
  return 'OK';
}

async function shakeHands(
  request: WebhookRequest,
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

/** Without the database nothing is known of the channel, and "unknown" would make the platform give up. */
function findChannel(
  botId: string,
  platform: WebhookPlatformName,
  options: ReceiveOptions,
): Promise<Channel | null | 'unavailable'> | null {
  // PostgreSQL's text has no room for it, so no bot has such an id.
  return botId.includes('\0') ? null : options.findChannel(botId, platform);
}

function refuse(
  reply: FastifyReply,
  status: number,
  message: string,
  platform: string,
  reception: Reception,
  { received }: ReceiveOptions,
): FastifyReply {
  received(isWebhookPlatform(platform) ? platform : 'unknown', reception);
  return reply.code(status).send({ message });
}

function refuseSignature(
  reply: FastifyReply,
  { botId, platform }: { botId: string; platform: WebhookPlatformName },
  options: ReceiveOptions,
): FastifyReply {
  options.refused(botId, platform);
  reply.header('www-authenticate', `Signature realm="${platform}"`);
  return refuse(reply, 401, 'signature missing or wrong', platform, 'bad-signature', options);
}

function refuseForNow(reply: FastifyReply, platform: string, options: ReceiveOptions): FastifyReply {
  reply.header('retry-after', retryAfterSeconds);
  return refuse(reply, 503, 'not stored, send again', platform, 'not-stored', options);
}

function isWebhookPlatform(name: string): name is WebhookPlatformName {
  return (webhookPlatformNames as readonly string[]).includes(name);
}
