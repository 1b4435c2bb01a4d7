/**
 * Turns simulated events into signed webhook requests, as the platforms send them. Some are batched, repeated or out of order.
 * Some requests are forged or contain entries of other accounts.
 *
 * Guarantee: each event is in at least one genuine delivery, and everything else in the deliveries counts nothing.
 */
import type { WebhookPlatformName } from '../src/platforms/platform.ts';
import { secondMs } from '../src/time.ts';
import { batches, type Delivery, signed } from './events/delivery.ts';
import type { SimulatedEvent } from './events/event.ts';
import type { SeededRandom } from './events/random.ts';
import { lineBody, lineEvent } from './line/webhook-body.ts';
import { foreignEntry, messengerEntries, messengerItems } from './messenger-bodies.ts';
import { foreignChange, whatsappBody, whatsappChanges } from './whatsapp-bodies.ts';

/** A channel's account (LINE's destination, a page, an Instagram account, a WhatsApp phone number id) and secret. */
type ChannelKey = { accountId: string; secret: string };
export type ChannelKeys = Record<WebhookPlatformName, ChannelKey>;

export type Shipping = {
  /** Most events in one delivery. */
  batchMax: number;
  /** Share of events that are sent again in other batches; a tenth of that share of deliveries, byte for byte. */
  repeatShare: number;
  /** Most positions by which a delivery may be late. */
  delayMax: number;
  forgedShare: number;
};

/** A platform on an ordinary day. */
export const usualShipping: Shipping = { batchMax: 12, repeatShare: 0.08, delayMax: 40, forgedShare: 0.002 };

const foreignShare = 0.01;

/** The deliveries of the events, in the order of sending. */
export function deliveriesOf(
  events: readonly SimulatedEvent[],
  channels: ChannelKeys,
  random: SeededRandom,
  shipping: Shipping = usualShipping,
): Delivery[] {
  const platforms = Object.keys(channels) as WebhookPlatformName[];
  const timed = platforms.flatMap((platform) => {
    const { accountId, secret } = channels[platform];
    const ofPlatform = events.filter((event) => event.platform === platform);
    const repeated = ofPlatform.filter(() => random.chance(shipping.repeatShare));
    const batched = [ofPlatform, repeated].flatMap((list, index) =>
      batches(list, random, shipping.batchMax).map((batch) => ({ batch, isRepeat: index === 1 })),
    );
    return batched.flatMap(({ batch, isRepeat }) => {
      const at = (batch.at(-1)?.at ?? 0) + secondMs;
      const isForeign = random.chance(foreignShare);
      const body = bodyOf(platform, batch, accountId, { isRepeat, isForeign, at });
      const deliveries = [signed(platform, body, secret)];
      if (random.chance(shipping.repeatShare / 10)) deliveries.push(signed(platform, body, secret));
      if (random.chance(shipping.forgedShare)) deliveries.push(forged(platform, body));
      return deliveries.map((delivery) => ({ delivery, at }));
    });
  });
  const inOrder = timed.sort((a, b) => a.at - b.at).map(({ delivery }) => delivery);
  return delayed(inOrder, random, shipping.delayMax);
}

function forged(platform: WebhookPlatformName, body: Uint8Array): Delivery {
  return { ...signed(platform, body, 'not the secret of this channel'), isForged: true };
}

function bodyOf(
  platform: WebhookPlatformName,
  batch: readonly SimulatedEvent[],
  accountId: string,
  { isRepeat, isForeign, at }: { isRepeat: boolean; isForeign: boolean; at: number },
): Uint8Array {
  if (platform === 'line') {
    return Buffer.from(JSON.stringify(lineBody(accountId, batch.map(lineEvent), isRepeat)));
  }
  if (platform === 'whatsapp') {
    const changes = batch.flatMap((event) => whatsappChanges(event, accountId));
    return escaped(whatsappBody('113865282725962', isForeign ? [...changes, foreignChange(at)] : changes));
  }
  const object = platform === 'facebook' ? 'page' : 'instagram';
  const items = batch.flatMap((event) => messengerItems(event, accountId));
  const entries = messengerEntries(accountId, items, at);
  return escaped({ object, entry: isForeign ? [...entries, foreignEntry(at)] : entries });
}

// Meta writes characters outside ASCII as \uXXXX in lower-case hex, and signs those bytes.
function escaped(body: object): Uint8Array {
  const text = JSON.stringify(body).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(text);
}

// Moves each delivery back by up to `delayMax` positions; without a limit the order is random.
function delayed(deliveries: readonly Delivery[], random: SeededRandom, delayMax: number): Delivery[] {
  const reach = Math.min(delayMax, deliveries.length);
  return deliveries
    .map((delivery, index) => ({ delivery, position: index + random.next() * reach }))
    .sort((a, b) => a.position - b.position)
    .map(({ delivery }) => delivery);
}
