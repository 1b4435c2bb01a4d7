/** The answers to refused webhook requests, counted in the metrics. */
import type { FastifyReply } from 'fastify';
import { type WebhookPlatformName, webhookPlatformNames } from '../platforms/platform.ts';
import type { RefusalReason } from './refused.ts';

/** The outcome of a webhook request; counted in the metrics. */
export type Reception =
  | 'stored'
  | 'bad-signature'
  | 'unknown-channel'
  | 'not-stored'
  | 'too-large'
  | 'handshake'
  | 'bad-handshake';

export type WebhookChannel = { botId: string; platform: WebhookPlatformName };

/** Counts the outcomes of webhook requests. */
export type ReceptionCounts = {
  received(platform: string, reception: Reception): void;
  /** Called for a request to an existing channel that is not counted. */
  refused(channel: WebhookChannel, reason: RefusalReason): void;
};

const retryAfterSeconds = '2';

export function refuse(
  reply: FastifyReply,
  status: number,
  message: string,
  platform: string,
  reception: Reception,
  { received }: ReceptionCounts,
): FastifyReply {
  received(isWebhookPlatform(platform) ? platform : 'unknown', reception);
  return reply.code(status).send({ message });
}

export function refuseSignature(
  reply: FastifyReply,
  channel: WebhookChannel,
  options: ReceptionCounts,
): FastifyReply {
  options.refused(channel, 'wrong-signature');
  reply.header('www-authenticate', `Signature realm="${channel.platform}"`);
  return refuse(reply, 401, 'signature missing or wrong', channel.platform, 'bad-signature', options);
}

export function refuseForNow(reply: FastifyReply, platform: string, options: ReceptionCounts): FastifyReply {
  reply.header('retry-after', retryAfterSeconds);
  return refuse(reply, 503, 'not stored, send again', platform, 'not-stored', options);
}

export function isWebhookPlatform(name: string): name is WebhookPlatformName {
  return (webhookPlatformNames as readonly string[]).includes(name);
}
