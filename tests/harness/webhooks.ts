/**
 * Deliveries for tests in the platforms' formats: small bodies of a few events, signed and posted.
 */
import { createHash } from 'node:crypto';
import { lineSignature, metaSignature } from './fixtures.ts';

export const lineSecret = 'channel-secret-for-tests';
export const metaSecret = 'app-secret-for-tests';
export const lineDestination = 'Ud922228ae4a6fdb40d805e3a72e089f6';
export const whatsappNumberId = '210924782137726';

export type WebhookPlatform = 'line' | 'facebook' | 'instagram' | 'whatsapp';

export type LineHappening = {
  type: 'follow' | 'unfollow' | 'message';
  id: string;
  user: string;
  /** ms. */
  at: number;
};

/** The body of a LINE delivery. */
export function lineBody(happenings: readonly LineHappening[], isRedelivery = false): string {
  const events = happenings.map(({ type, id, user, at }) => ({
    type,
    ...(type === 'message' ? { message: { type: 'text', id, text: '你好' } } : {}),
    ...(type === 'follow' ? { follow: { isUnblocked: false } } : {}),
    webhookEventId: id,
    deliveryContext: { isRedelivery },
    timestamp: at,
    source: { type: 'user', userId: lineUser(user) },
    mode: 'active',
  }));
  return JSON.stringify({ destination: lineDestination, events });
}

/** The body of a WhatsApp delivery with text messages from people. */
export function whatsappBody(messages: readonly { id: string; from: string; at: number }[]): string {
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '12025550100', phone_number_id: whatsappNumberId },
    contacts: messages.map(({ from }) => ({ profile: { name: 'Test' }, wa_id: from })),
    messages: messages.map(({ id, from, at }) => ({
      from,
      id,
      timestamp: String(Math.floor(at / 1_000)),
      type: 'text',
      text: { body: 'hello' },
    })),
  };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '113865282725962', changes: [{ field: 'messages', value }] }],
  });
}

/** The body of a Messenger or Instagram delivery with text messages from people to the account. */
export function messengerBody(
  platform: 'facebook' | 'instagram',
  accountId: string,
  messages: readonly { id: string; from: string; at: number }[],
): string {
  const messaging = messages.map(({ id, from, at }) => ({
    sender: { id: from },
    recipient: { id: accountId },
    timestamp: at,
    message: { mid: id, text: 'hello' },
  }));
  const object = platform === 'facebook' ? 'page' : 'instagram';
  return JSON.stringify({ object, entry: [{ id: accountId, time: messages[0]?.at, messaging }] });
}

/** A user id in LINE's format for a short name. */
export function lineUser(name: string): string {
  return `U${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/** Posts a delivery, signed with the tests' secret or the passed one. Throws if no response arrives in time. */
export function deliver(
  address: string,
  { botId, platform, secret }: { botId: string; platform: WebhookPlatform; secret?: string },
  body: string,
): Promise<Response> {
  const signature =
    platform === 'line'
      ? lineSignature(body, secret ?? lineSecret)
      : metaSignature(body, secret ?? metaSecret);
  return fetch(`${address}/webhooks/${botId}/${platform}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...signature },
    signal: AbortSignal.timeout(answerMsMax),
  });
}

const answerMsMax = 60_000;
