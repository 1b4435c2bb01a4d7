/**
 * The deliveries of the intake load: LINE webhooks with one text message each, about 450 bytes.
 *
 * 20,000 people write. 500 conversations run at a time, with interleaved messages. Each has 5 messages, and a person's next one begins
 * 20 minutes later by LINE's clock. That clock is faster than ours: 12 ms per message.
 */
import { createHash, createHmac } from 'node:crypto';
import { post } from './load.ts';

/** The channel of every token, according to the reference server. */
export const verifiedChannelId = '1573163733';

export type LineChannel = { botId: string; secret: string };

/** A range of numbers and of LINE's time for one round. */
export type Stretch = { first: number; startsAt: number };

const people = 20_000;
const conversationsAtOnce = 500;
const messagesInConversation = 5;
const msBetweenMessages = 12;
const stretchNumbers = 10_000_000;
const hourMs = 3_600_000;
const stretchMs = 8 * hourMs;
const stretchesMax = 60;

const userIds = Array.from(
  { length: people },
  (_, index) => `U${createHash('md5').update(`person ${index}`).digest('hex')}`,
);
const phrases = [
  '請問今天有營業嗎？',
  'ありがとうございます',
  'ขอบคุณค่ะ',
  'Can I book a table for four?',
  '好的，謝謝',
];

/** The range of the index-th round. All ranges are before `now` (ms). */
export function stretch(index: number, now: number): Stretch {
  if (index >= stretchesMax) throw new Error(`there are ${stretchesMax} stretches only`);
  return { first: index * stretchNumbers, startsAt: now - (stretchesMax - index) * stretchMs };
}

/** The body of the stretch's n-th delivery. */
export function lineDelivery({ first, startsAt }: Stretch, n: number): string {
  const number = String(first + n).padStart(10, '0');
  const turn = Math.floor(n / conversationsAtOnce);
  const conversation =
    Math.floor(turn / messagesInConversation) * conversationsAtOnce + (n % conversationsAtOnce);
  const text = `${phrases[n % phrases.length]} ${n}`;
  return `{"destination":"Uf0000000000000000000000000000000","events":[{"type":"message","message":{"type":"text","id":"48${number}","quoteToken":"q3Plxr4AgKd${number}","markAsReadToken":"30yhdy232${number}","text":"${text}"},"webhookEventId":"01J9ZK4M3T7Q8R5W${number}","deliveryContext":{"isRedelivery":false},"timestamp":${startsAt + n * msBetweenMessages},"source":{"type":"user","userId":"${userIds[conversation % people]}"},"replyToken":"nHuyWiB7yP5Zw52FIkcQ${number}","mode":"active"}]}`;
}

/** The key of the event in the stretch's n-th delivery. */
export function lineEventKey({ first }: Stretch, n: number): string {
  return `01J9ZK4M3T7Q8R5W${String(first + n).padStart(10, '0')}`;
}

/** LINE's headers for a body. */
export function lineHeaders(body: string, secret: string): Record<string, string> {
  const signature = createHmac('sha256', secret).update(body).digest('base64');
  return { 'content-type': 'application/json; charset=utf-8', 'x-line-signature': signature };
}

export function webhookPath(botId: string): string {
  return `/webhooks/${botId}/line`;
}

/** The bytes of the stretch's n-th delivery as LINE would send it. */
export function lineRequest({ botId, secret }: LineChannel, numbers: Stretch, n: number): Buffer {
  const body = lineDelivery(numbers, n);
  return post(webhookPath(botId), lineHeaders(body, secret), body);
}
