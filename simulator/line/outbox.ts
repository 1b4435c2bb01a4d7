/**
 * Sends LINE's webhooks: events become signed requests to the webhook URL, on request batched, repeated and out of order. A
 * request without a 2xx answer within 2 s is redelivered later with the same event ids.
 *
 * LINE does not publish its redelivery intervals. The intervals here are a guess.
 */
import { hourMs, minuteMs, secondMs } from '../../src/time.ts';
import { batches, signed } from '../events/delivery.ts';
import type { SimulatedEvent } from '../events/event.ts';
import { randomOf } from '../events/random.ts';
import type { Schedule } from '../frame/schedule.ts';
import { lineBody, lineEvent, replyTokenOf } from './webhook-body.ts';

/** Disturbances of the webhooks. */
export type Disturbance = {
  /** Most events in one request. */
  batchMax: number;
  /** Share of the requests that are sent twice. */
  repeatShare: number;
  /** Largest delay of an event, so that later events overtake it. */
  lateMinutesMax: number;
};
export const undisturbed: Disturbance = { batchMax: 1, repeatShare: 0, lateMinutesMax: 0 };

export type EventRecord = {
  event: SimulatedEvent;
  /** `unsent`: no active webhook at the time of the event. `lost`: LINE has stopped redelivering. */
  state: 'unsent' | 'waiting' | 'delivered' | 'lost';
  /** The number of requests that contained it. */
  attempts: number;
  /** The time of the first 2xx answer. */
  deliveredAt: number | null;
};

export type Webhook = { endpoint: string | null; active: boolean; redelivery: boolean };

/** The result of a request, with the reasons of LINE's webhook test. */
type WebhookResult = {
  status: number;
  reason: 'OK' | 'COULD_NOT_CONNECT' | 'REQUEST_TIMEOUT' | 'ERROR_STATUS_CODE';
  detail: string;
};

const answerMsMax = 2 * secondMs;
const redeliveryIntervals = [
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

type Attempt = { record: EventRecord; number: number };
type ReplyToken = { event: SimulatedEvent; sentAt: number; isUsed: boolean };
type Options = {
  seed: number;
  destination: string;
  channelSecret: string;
  webhook: Webhook;
  disturbance: Disturbance;
  schedule: Schedule;
};

export class Outbox {
  readonly webhook: Webhook;
  disturbance: Disturbance;
  readonly events = new Map<string, EventRecord>();
  readonly #options: Options;
  readonly #replyTokens = new Map<string, ReplyToken>();
  #waiting: Attempt[] = [];
  #flushes = 0;

  constructor(options: Options) {
    this.#options = options;
    this.webhook = options.webhook;
    this.disturbance = options.disturbance;
  }

  /** The events that a receiver of all webhooks knows, in order of time. */
  deliveredEvents(): SimulatedEvent[] {
    const records = [...this.events.values()].filter(({ state }) => state === 'delivered');
    return records.map(({ event }) => event).sort((a, b) => a.at - b.at);
  }

  /** Adds an event. The next flush sends it when a webhook is set and active. */
  enqueue(event: SimulatedEvent): void {
    const isSent = this.webhook.endpoint !== null && this.webhook.active;
    const state = isSent ? 'waiting' : 'unsent';
    const record: EventRecord = { event, state, attempts: 0, deliveredAt: null };
    this.events.set(event.id, record);
    if (!isSent) return;
    const random = randomOf(this.#options.seed, 'late', event.id);
    const lateMs = random.next() * this.disturbance.lateMinutesMax * minuteMs;
    const send = () => this.#waiting.push({ record, number: 1 });
    if (lateMs === 0) send();
    else this.#options.schedule.add(event.at + lateMs, send);
  }

  /** Sends all waiting events at the simulated instant. Resolves when each request was answered or failed. */
  async flush(now: number): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    this.#flushes += 1;
    const random = randomOf(this.#options.seed, 'flush', this.#flushes);
    const { batchMax, repeatShare } = this.disturbance;
    const first = batches(
      waiting.filter(({ number }) => number === 1),
      random,
      batchMax,
    );
    const redeliveries = waiting.filter(({ number }) => number > 1).map((attempt) => [attempt]);
    const requests = [...first, ...redeliveries].flatMap((request) =>
      random.chance(repeatShare) ? [request, request] : [request],
    );
    const queue = requests.values();
    const connection = async () => {
      for (const request of queue) {
        const { reason } = await this.#send(request, now);
        if (reason === 'OK') for (const { record } of request) markDelivered(record, now);
      }
    };
    await Promise.all(Array.from({ length: Math.min(connections, requests.length) }, connection));
    for (const attempt of waiting) if (attempt.record.state !== 'delivered') this.#retry(attempt, now);
  }

  /** Posts a signed body to the URL: the events of a flush, or none for a test. */
  async post(endpoint: string, events: readonly object[], isRedelivery = false): Promise<WebhookResult> {
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
      const isTimeout = error instanceof Error && error.name === 'TimeoutError';
      if (isTimeout) return { status: 0, reason: 'REQUEST_TIMEOUT', detail: 'Request timeout' };
      return { status: 0, reason: 'COULD_NOT_CONNECT', detail: 'Failure to connect' };
    }
  }

  /** Uses a reply token. Returns the event that it replies to; null: the token is unknown, used or expired. */
  useReplyToken(token: string, now: number): SimulatedEvent | null {
    const entry = this.#replyTokens.get(token);
    if (entry === undefined || entry.isUsed) return null;
    if (now - entry.sentAt > replyMsMax || now - entry.event.at > replyAgeMsMax) return null;
    entry.isUsed = true;
    return entry.event;
  }

  #send(request: readonly Attempt[], now: number): Promise<WebhookResult> {
    const isRedelivery = request.some(({ number }) => number > 1);
    for (const { record } of request) {
      record.attempts += 1;
      const { event } = record;
      const token = replyTokenOf(event);
      if (token === null) continue;
      const isUsed = this.#replyTokens.get(token)?.isUsed === true;
      this.#replyTokens.set(token, { event, sentAt: now, isUsed });
    }
    const events = request.map(({ record }) => lineEvent(record.event));
    return this.post(this.webhook.endpoint ?? '', events, isRedelivery);
  }

  #retry({ record, number }: Attempt, now: number): void {
    const interval = this.webhook.redelivery ? redeliveryIntervals[number - 1] : undefined;
    if (interval === undefined) {
      record.state = 'lost';
      return;
    }
    const retry = () => this.#waiting.push({ record, number: number + 1 });
    this.#options.schedule.add(now + interval, retry);
  }
}

function markDelivered(record: EventRecord, now: number): void {
  record.state = 'delivered';
  record.deliveredAt = now;
}
