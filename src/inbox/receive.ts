/**
 * Receives the platforms' webhooks: finds the channel, verifies the signature over the raw bytes, stores the delivery, answers.
 *
 *     unknown bot, platform or channel  404    signature missing or wrong  401, nothing stored
 *     (both before the body is read)
 *     over 3 MB                         413    not stored                  503 with Retry-After: the platform delivers again
 *     stored (readable or not)          200
 *
 * Sources: LINE "Receive messages (webhook)", Meta "Webhooks: getting started", WhatsApp Cloud API "Webhooks".
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Channel } from '../bots/channels.ts';
import { isOutage, logOutage } from '../database/outage.ts';
import { platforms } from '../platforms/index.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';
import { isSigned } from '../platforms/signature.ts';
import type { Clock } from '../time.ts';
import { type GroupCommit, NotStored } from './group-commit.ts';
import { isWebhookPlatform, type ReceptionCounts, refuse, refuseForNow, refuseSignature } from './refusal.ts';

export type ReceiveOptions = ReceptionCounts & {
  /** The enabled channel with its secrets; null when there is none. `unavailable`: channels cannot be read now. */
  findChannel(botId: string, platform: WebhookPlatformName): Promise<Channel | null | 'unavailable'>;
  inbox: GroupCommit;
  clock: Clock;
  /** Called when a delivery of the bot is committed. */
  stored(botId: string): void;
};

const bodyBytesMax = 3 * 1024 * 1024;

export type WebhookRequest = FastifyRequest<{ Params: { botId: string; platform: string }; Body: Buffer }>;

/** Adds `POST /webhooks/{botId}/{platform}` to the server. */
export async function registerWebhooks(app: FastifyInstance, options: ReceiveOptions): Promise<void> {
  await app.register(async (scope) => {
    scope.decorateRequest('channel');
    scope.removeAllContentTypeParsers();
    // The body is read as bytes, whatever content type the request names.
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
    scope.addHook('onError', (request, _reply, error, done) => {
      if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') countTooLarge(request as WebhookRequest, options);
      done();
    });
    scope.post<{ Params: WebhookRequest['params']; Body: Buffer }>(
      '/webhooks/:botId/:platform',
      {
        bodyLimit: bodyBytesMax,
        onRequest: (request, reply) => admit(request, reply, options),
      },
      (request, reply) => receive(request, reply, options),
    );
  });
}

/** Before the body is read: refuses requests for unknown channels, and requests without a signature. */
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
  if (request.headers[platforms[name].signature.header] === undefined)
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
  const { signature } = platforms[name];
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (!isSigned(body, request.headers[signature.header], secrets, signature))
    return refuseSignature(reply, { botId, platform: name }, options);
  try {
    await options.inbox.put({ botId, platform: name, source: 'webhook', body, receivedAt: options.clock() });
  } catch (error) {
    if (!(error instanceof NotStored)) throw error;
    if (isOutage(error.cause)) logOutage(request.server.log, error.cause);
    else request.log.warn({ err: error }, 'delivery not stored');
    options.refused({ botId, platform: name }, 'not-stored');
    return refuseForNow(reply, name, options);
  }
  options.stored(botId);
  options.received(name, 'stored');
  return 'OK';
}

/** Only requests of existing channels reach the reading of the body. */
function countTooLarge({ params: { botId, platform } }: WebhookRequest, options: ReceiveOptions): void {
  if (!isWebhookPlatform(platform)) return;
  options.received(platform, 'too-large');
  options.refused({ botId, platform }, 'too-large');
}

/** While the database is away the channel is `unavailable`: "unknown" would make the platform give up. */
export function findChannel(
  botId: string,
  platform: WebhookPlatformName,
  options: ReceiveOptions,
): Promise<Channel | null | 'unavailable'> | null {
  // PostgreSQL cannot store this character, so no bot has such an id.
  return botId.includes('\0') ? null : options.findChannel(botId, platform);
}
