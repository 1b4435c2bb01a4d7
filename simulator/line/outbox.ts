/**
 * LINE's webhooks: events become signed requests to the address set, several in one now and then, repeated and out of order
 * when asked; what is not answered 2xx within 2 s is sent again later with `isRedelivery: true` and the same ids.
 *
 * How often and after which pauses LINE sends again is not disclosed: the pauses here are a guess.
 */
import { hourMs, minuteMs, secondMs } from '../../src/time.ts';
import { chanceOf } from '../chance.ts';
import type { Happening } from '../happening.ts';
import { lineBody, lineEvent, replyTokenOf } from '../line-bodies.ts';
import { batches, signed } from '../platforms.ts';

/** How webhooks are disturbed. */
export type Disturbance = {
  /** Most events in one request. */
  batchMax: number;
  /** Share of the requests that are sent twice. */
  repeatShare: number;
  /** By up to so much an event goes out late, and so after others that came later. */
  lateMinutesMax: number;
};
export const undisturbed: Disturbance = { batchMax: 1, repeatShare: 0, lateMinutesMax: 0 };

/** `unsent`: no webhook was set or it was switched off. `lost`: LINE has given up. */
export type EventState = 'unsent' | 'waiting' | 'delivered' | 'lost';
export type EventRecord = {
  happening: Happening;
  state: EventState;
  /** Requests in which it was. */
  attempts: number;
  /** When it was answered 2xx first. */
  deliveredAt: number | null;
};

export type Webhook = { endpoint: string | null; active: boolean; redelivery: boolean };

/** What came of one request: LINE's reasons of the webhook test. */
export type Answer = {
  status: number;
  reason: 'OK' | 'COULD_NOT_CONNECT' | 'REQUEST_TIMEOUT' | 'ERROR_STATUS_CODE';
  detail: string;
};

const answerMsMax = 2 * secondMs;
const pauses = [
  minuteMs,
  5 * minuteMs,
  15 * minuteMs,
  hourMs,
  3 * hourMs,
  6 * hourMs,
  12 * hourMs,
  24 * hourMs,
];
const connections = 20;
const replyMsMax = minuteMs;
const replyAgeMsMax = 20 * minuteMs;

type ReplyToken = { happening: Happening; sentAt: number; isUsed: boolean };
type Options = {
  seed: number;
  destination: string;
  channelSecret: string;
  webhook: Webhook;
  disturbance: Disturbance;
  /** Runs it at that instant of the simulated clock. */
  later: (at: number, run: () => void) => void;
};

export class Outbox {
  readonly webhook: Webhook;
  disturbance: Disturbance;
  readonly events = new Map<string, EventRecord>();
  readonly #options: Options;
  readonly #replyTokens = new Map<string, ReplyToken>();
  #waiting: { record: EventRecord; attempt: number }[] = [];
  #flushes = 0;

  constructor(options: Options) {
    this.#options = options;
    this.webhook = options.webhook;
    this.disturbance = options.disturbance;
  }

  /** What was delivered, in order of time: all that whoever listens can know. */
  told(): Happening[] {
    const delivered = [...this.events.values()].filter(({ state }) => state === 'delivered');
    return delivered.map(({ happening }) => happening).sort((a, b) => a.at - b.at);
  }

  /** Takes an event in; it goes out with the next flush, or never when no webhook is set. */
  tell(happening: Happening): void {
    const isSent = this.webhook.endpoint !== null && this.webhook.active;
    const record: EventRecord = {
      happening,
      state: isSent ? 'waiting' : 'unsent',
      attempts: 0,
      deliveredAt: null,
    };
    this.events.set(happening.id, record);
    if (!isSent) return;
    const lateMs =
      chanceOf(this.#options.seed, 'late', happening.id).next() * this.disturbance.lateMinutesMax * minuteMs;
    const send = () => this.#waiting.push({ record, attempt: 1 });
    if (lateMs === 0) send();
    else this.#options.later(happening.at + lateMs, send);
  }

  /** Sends all that waits, at the simulated instant; resolves when each request was answered or has failed. */
  async flush(now: number): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    this.#flushes += 1;
    const chance = chanceOf(this.#options.seed, 'flush', this.#flushes);
    const { batchMax, repeatShare } = this.disturbance;
    const first = batches(
      waiting.filter(({ attempt }) => attempt === 1),
      chance,
      batchMax,
    );
    const again = waiting.filter(({ attempt }) => attempt > 1).map((one) => [one]);
    const requests = [...first, ...again].flatMap((request) =>
      chance.happens(repeatShare) ? [request, request] : [request],
    );
    const queue = requests.values();
    const failed = new Set<{ record: EventRecord; attempt: number }>();
    const connection = async () => {
      for (const request of queue) {
        const { reason } = await this.#send(request, now);
        for (const one of request) this.#settle(one, reason === 'OK', now, failed);
      }
    };
    await Promise.all(Array.from({ length: Math.min(connections, requests.length) }, connection));
    for (const one of waiting) if (failed.has(one)) this.#again(one, now);
  }

  /** Posts a signed body to the address: the events of a flush, or none for a test. */
  async post(endpoint: string, events: readonly object[], isRedelivery = false): Promise<Answer> {
    const { destination, channelSecret } = this.#options;
    const body = Buffer.from(JSON.stringify(lineBody(destination, events, isRedelivery)));
    const { header } = signed('line', body, channelSecret);
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'LineBotWebhook/2.0',
          [header.name]: header.value,
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(answerMsMax),
      });
      await response.arrayBuffer();
      const { ok, status } = response;
      return { status, reason: ok ? 'OK' : 'ERROR_STATUS_CODE', detail: String(status) };
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      if (isLate) return { status: 0, reason: 'REQUEST_TIMEOUT', detail: 'Request timeout' };
      return { status: 0, reason: 'COULD_NOT_CONNECT', detail: 'Failure to connect' };
    }
  }

  /** Uses up a reply token. Gives the happening it answers; null: unknown, used, or too old. */
  useReplyToken(token: string, now: number): Happening | null {
    const known = this.#replyTokens.get(token);
    if (known === undefined || known.isUsed) return null;
    if (now - known.sentAt > replyMsMax || now - known.happening.at > replyAgeMsMax) return null;
    known.isUsed = true;
    return known.happening;
  }

  #send(request: readonly { record: EventRecord; attempt: number }[], now: number): Promise<Answer> {
    const isRedelivery = request.some(({ attempt }) => attempt > 1);
    for (const { record } of request) {
      record.attempts += 1;
      const token = replyTokenOf(record.happening);
      const isUsed = token !== null && this.#replyTokens.get(token)?.isUsed === true;
      if (token !== null) this.#replyTokens.set(token, { happening: record.happening, sentAt: now, isUsed });
    }
    const events = request.map(({ record }) => lineEvent(record.happening));
    return this.post(this.webhook.endpoint ?? '', events, isRedelivery);
  }

  #settle(
    one: { record: EventRecord; attempt: number },
    isAnswered: boolean,
    now: number,
    failed: Set<{ record: EventRecord; attempt: number }>,
  ): void {
    if (!isAnswered) {
      if (one.record.state !== 'delivered') failed.add(one);
      return;
    }
    failed.delete(one);
    one.record.state = 'delivered';
    one.record.deliveredAt = now;
  }

  #again(one: { record: EventRecord; attempt: number }, now: number): void {
    const pause = this.webhook.redelivery ? pauses[one.attempt - 1] : undefined;
    if (pause === undefined) {
      one.record.state = 'lost';
      return;
    }
    this.#options.later(now + pause, () => this.#waiting.push({ ...one, attempt: one.attempt + 1 }));
  }
}
