/** A signed webhook request, and how events are grouped into requests. */
import { createHmac } from 'node:crypto';
import type { WebhookPlatformName } from '../../src/platforms/platform.ts';
import type { SeededRandom } from './random.ts';

export type Delivery = {
  platform: WebhookPlatformName;
  header: { name: string; value: string };
  body: Uint8Array;
  /** Signed with a wrong secret, so the server must refuse it. */
  isForged: boolean;
};

const singleShare = 0.75;

/** The body with its signature as the platform's manual defines it: base64 on LINE, `sha256=` and hex at Meta. */
export function signed(platform: WebhookPlatformName, body: Uint8Array, secret: string): Delivery {
  const hmac = createHmac('sha256', secret).update(body);
  const header =
    platform === 'line'
      ? { name: 'x-line-signature', value: hmac.digest('base64') }
      : { name: 'X-Hub-Signature-256', value: `sha256=${hmac.digest('hex')}` };
  return { platform, header, body, isForged: false };
}

/** The list in batches of up to `batchMax`; three in four batches hold one item. */
export function batches<T>(items: readonly T[], random: SeededRandom, batchMax: number): T[][] {
  const list: T[][] = [];
  for (let start = 0; start < items.length; ) {
    const size = random.chance(singleShare) ? 1 : random.integer(1, batchMax);
    list.push(items.slice(start, start + size));
    start += size;
  }
  return list;
}
