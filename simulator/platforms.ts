/**
 * How the platforms send: happenings become signed requests, several in one now and then, repeated, out of order, with
 * forgeries and other accounts' entries among them.
 *
 * In: happenings, the channels' accounts and secrets, chance. Out: deliveries in the order of sending. What must hold:
 * every happening is in at least one delivery that is not forged, and what is not a happening of the world counts nothing.
 */
import { createHmac } from 'node:crypto';
import type { WebhookPlatformName } from '../src/platforms/platform.ts';
import { secondMs } from '../src/time.ts';
import type { Chance } from './chance.ts';
import type { Happening } from './happening.ts';
import { lineBody, lineEvent } from './line-bodies.ts';
import { foreignEntry, messengerEntries, messengerItems } from './messenger-bodies.ts';
import { foreignChange, whatsappBody, whatsappChanges } from './whatsapp-bodies.ts';

/** What a channel is set to: LINE's destination, a page, an Instagram account, a WhatsApp phone number id; and its secret. */
export type ChannelKey = { accountId: string; secret: string };
export type ChannelKeys = Record<WebhookPlatformName, ChannelKey>;

export type Delivery = {
  platform: WebhookPlatformName;
  header: { name: string; value: string };
  body: Uint8Array;
  /** Signed with a wrong secret: a server must refuse it. */
  forged: boolean;
};

export type Shipping = {
  /** Most happenings in one delivery. */
  batchMax: number;
  /** Share of the happenings that are sent again, in other company; of the deliveries, a tenth of that, byte for byte. */
  repeatShare: number;
  /** By how many places a delivery may come late. */
  latenessMax: number;
  forgedShare: number;
};

/** A platform on an ordinary day. */
export const usualShipping: Shipping = {
  batchMax: 12,
  repeatShare: 0.08,
  latenessMax: 40,
  forgedShare: 0.002,
};
/** Everything in any order, every second happening twice. */
export const wildShipping: Shipping = {
  batchMax: 30,
  repeatShare: 0.5,
  latenessMax: Number.MAX_SAFE_INTEGER,
  forgedShare: 0.02,
};

const singleShare = 0.75;
const foreignShare = 0.01;

/** The deliveries that tell of the happenings, in the order of sending. */
export function deliveriesOf(
  happenings: readonly Happening[],
  channels: ChannelKeys,
  chance: Chance,
  shipping: Shipping = usualShipping,
): Delivery[] {
  const platforms = Object.keys(channels) as WebhookPlatformName[];
  const placed = platforms.flatMap((platform) => {
    const told = happenings.filter((happening) => happening.platform === platform);
    const again = told.filter(() => chance.happens(shipping.repeatShare));
    return [
      ...place(batches(told, chance, shipping.batchMax), false),
      ...place(batches(again, chance, shipping.batchMax), true),
    ].flatMap(({ batch, isRepeat }) => {
      const at = (batch.at(-1)?.at ?? 0) + secondMs;
      const isForeign = chance.happens(foreignShare);
      const bytes = bodyOf(platform, batch, channels[platform].accountId, { isRepeat, isForeign, at });
      const deliveries = [signed(platform, bytes, channels[platform].secret)];
      if (chance.happens(shipping.repeatShare / 10))
        deliveries.push(signed(platform, bytes, channels[platform].secret));
      if (chance.happens(shipping.forgedShare)) deliveries.push(forged(platform, bytes));
      return deliveries.map((delivery) => ({ delivery, at }));
    });
  });
  const inOrder = placed.sort((a, b) => a.at - b.at).map(({ delivery }) => delivery);
  return late(inOrder, chance, shipping.latenessMax);
}

/** The delivery with its signature, as the platform's manual has it: LINE base64, Meta `sha256=` and hex. */
export function signed(platform: WebhookPlatformName, body: Uint8Array, secret: string): Delivery {
  const hmac = createHmac('sha256', secret).update(body);
  const header =
    platform === 'line'
      ? { name: 'x-line-signature', value: hmac.digest('base64') }
      : { name: 'X-Hub-Signature-256', value: `sha256=${hmac.digest('hex')}` };
  return { platform, header, body, forged: false };
}

function forged(platform: WebhookPlatformName, body: Uint8Array): Delivery {
  return { ...signed(platform, body, 'not the secret of this channel'), forged: true };
}

/** The list in pieces of up to so many, three in four of them of one. */
export function batches<T>(happenings: readonly T[], chance: Chance, batchMax: number): T[][] {
  const list: T[][] = [];
  for (let start = 0; start < happenings.length; ) {
    const size = chance.happens(singleShare) ? 1 : chance.whole(1, batchMax);
    list.push(happenings.slice(start, start + size));
    start += size;
  }
  return list;
}

function place(list: readonly Happening[][], isRepeat: boolean): { batch: Happening[]; isRepeat: boolean }[] {
  return list.map((batch) => ({ batch, isRepeat }));
}

function bodyOf(
  platform: WebhookPlatformName,
  batch: readonly Happening[],
  accountId: string,
  { isRepeat, isForeign, at }: { isRepeat: boolean; isForeign: boolean; at: number },
): Uint8Array {
  if (platform === 'line') {
    return Buffer.from(JSON.stringify(lineBody(accountId, batch.map(lineEvent), isRepeat)));
  }
  if (platform === 'whatsapp') {
    const changes = batch.flatMap((happening) => whatsappChanges(happening, accountId));
    return escaped(whatsappBody('113865282725962', isForeign ? [...changes, foreignChange(at)] : changes));
  }
  const object = platform === 'facebook' ? 'page' : 'instagram';
  const items = batch.flatMap((happening) => messengerItems(happening, accountId));
  const entries = messengerEntries(accountId, items, at);
  return escaped({ object, entry: isForeign ? [...entries, foreignEntry(at)] : entries });
}

// Meta writes everything outside ASCII as \uXXXX, in lower-case hex, and signs those bytes.
function escaped(body: object): Uint8Array {
  const text = JSON.stringify(body).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(text);
}

// Each delivery falls back by up to that many places; with no limit the order is any.
function late(deliveries: readonly Delivery[], chance: Chance, latenessMax: number): Delivery[] {
  const reach = Math.min(latenessMax, deliveries.length);
  return deliveries
    .map((delivery, index) => ({ delivery, place: index + chance.next() * reach }))
    .sort((a, b) => a.place - b.place)
    .map(({ delivery }) => delivery);
}
