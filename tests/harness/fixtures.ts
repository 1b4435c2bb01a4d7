/**
 * Sample deliveries, with signatures like the platforms'.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

const folder = new URL('../fixtures/webhooks/', import.meta.url);

/** The bytes of a fixture, such as `line/message-text.json`. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(name, folder));
}

/** LINE's signature header for a body. */
export function lineSignature(body: string | Buffer, channelSecret: string): Record<string, string> {
  return { 'x-line-signature': createHmac('sha256', channelSecret).update(body).digest('base64') };
}

/** Meta's signature header for a body. */
export function metaSignature(body: string | Buffer, appSecret: string): Record<string, string> {
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}` };
}
