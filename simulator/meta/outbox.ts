/**
 * Sends Meta's webhooks: events become signed requests to the callback address of their object, on request batched, repeated and
 * out of order. A request without a 200 is repeated later, for 36 hours (Graph API: "Webhooks, getting started").
 *
 * Meta does not publish the intervals of its repetitions. The intervals here are a guess.
 */
import { randomBytes } from 'node:crypto';
import { hourMs, minuteMs, secondMs } from '../../src/time.ts';
import { batches, signed } from '../events/delivery.ts';
import type { SimulatedEvent } from '../events/event.ts';
import { randomOf } from '../events/random.ts';
import type { Schedule } from '../frame/schedule.ts';
import { messengerEntries, messengerItems } from '../messenger-bodies.ts';
import { whatsappBody, whatsappChanges } from '../whatsapp-bodies.ts';
import type { MetaCredentials } from './credentials.ts';
import type { MetaPlatform } from './people.ts';

export type MetaDisturbance = {
  /** Most events in one request. */
  batchMax: number;
  /** Share of the requests that are sent twice. */
  repeatShare: number;
  /** Largest delay of an event, so that later events overtake it. */
  lateMinutesMax: number;
};

export type Subscription = { callbackUrl: string; verifyToken: string };

type State = 'unsent' | 'waiting' | 'delivered' | 'lost';
/** `unsent`: no subscription at the time of the event. `lost`: Meta has stopped repeating. */
export type EventRecord = { event: SimulatedEvent; state: State; attempts: number };

const objects = { facebook: 'page', instagram: 'instagram', whatsapp: 'whatsapp_business_account' } as const;
const answerMsMax = 5 * secondMs;
const connections = 8;
const repetitionIntervals = [secondMs, minuteMs, 10 * minuteMs, hourMs, 6 * hourMs, 12 * hourMs, 16 * hourMs];

type Attempt = { record: EventRecord; number: number };
type Options = {
  seed: number;
  credentials: MetaCredentials;
  disturbance: MetaDisturbance;
  schedule(): Schedule;
};

export class MetaOutbox {
  readonly events = new Map<string, EventRecord>();
  readonly subscriptions = new Map<MetaPlatform, Subscription>();
  disturbance: MetaDisturbance;
  readonly #options: Options;
  #waiting: Attempt[] = [];
  #flushes = 0;

  constructor(options: Options) {
    this.#options = options;
    this.disturbance = options.disturbance;
  }

  /** The platform of a webhook object. */
  platformOf(object: unknown): MetaPlatform | undefined {
    return (Object.keys(objects) as MetaPlatform[]).find((platform) => objects[platform] === object);
  }

  /** Subscribes a callback address after its handshake. Returns false if it does not echo the challenge. */
  async subscribe(platform: MetaPlatform, subscription: Subscription): Promise<boolean> {
    const challenge = String(randomBytes(4).readUInt32BE());
    const url = new URL(subscription.callbackUrl);
    url.searchParams.set('hub.mode', 'subscribe');
    url.searchParams.set('hub.challenge', challenge);
    url.searchParams.set('hub.verify_token', subscription.verifyToken);
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) }).catch(() => null);
    if (response?.status !== 200 || (await response.text()) !== challenge) return false;
    this.subscriptions.set(platform, subscription);
    return true;
  }

  /** The events that a receiver of all webhooks knows. */
  deliveredEvents(): SimulatedEvent[] {
    return [...this.events.values()].filter(({ state }) => state === 'delivered').map(({ event }) => event);
  }

  /** Adds an event. The next flush sends it if its object has a subscription. */
  enqueue(event: SimulatedEvent): void {
    const isSent = this.subscriptions.has(event.platform as MetaPlatform);
    const record: EventRecord = { event, state: isSent ? 'waiting' : 'unsent', attempts: 0 };
    this.events.set(event.id, record);
    if (!isSent) return;
    const random = randomOf(this.#options.seed, 'late', event.id);
    const lateMs = random.next() * this.disturbance.lateMinutesMax * minuteMs;
    const send = () => this.#waiting.push({ record, number: 1 });
    if (lateMs === 0) send();
    else this.#options.schedule().add(event.at + lateMs, send);
  }

  /** Sends all waiting events at the simulated instant. Resolves when each request was answered or failed. */
  async flush(now: number): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    this.#flushes += 1;
    const random = randomOf(this.#options.seed, 'flush', this.#flushes);
    const { batchMax, repeatShare } = this.disturbance;
    const requests = [...Map.groupBy(waiting, ({ record }) => record.event.platform).values()]
      .flatMap((attempts) => batches(attempts, random, batchMax))
      .flatMap((request) => (random.chance(repeatShare) ? [request, request] : [request]));
    const queue = requests.values();
    const connection = async () => {
      for (const request of queue) await this.#send(request, now);
    };
    await Promise.all(Array.from({ length: Math.min(connections, requests.length) }, connection));
    for (const attempt of waiting) if (attempt.record.state !== 'delivered') this.#repeat(attempt, now);
  }

  /** `request`: attempts of one platform. */
  async #send(request: readonly Attempt[], now: number): Promise<void> {
    for (const { record } of request) record.attempts += 1;
    const events = request.map(({ record }) => record.event);
    const platform = events[0]?.platform as MetaPlatform;
    const isAccepted = await this.post(platform, this.#body(platform, events, now));
    if (isAccepted) for (const { record } of request) record.state = 'delivered';
  }

  /** Posts a signed body to the platform's callback address. Returns true if the answer is 200. */
  async post(platform: MetaPlatform, content: object): Promise<boolean> {
    const subscription = this.subscriptions.get(platform);
    if (subscription === undefined) return false;
    const body = Buffer.from(JSON.stringify(content));
    const { header } = signed(platform, body, this.#options.credentials.appSecret);
    try {
      const response = await fetch(subscription.callbackUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', [header.name]: header.value },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(answerMsMax),
      });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      // The receiver is gone or too slow: Meta repeats the request.
      return false;
    }
  }

  #body(platform: MetaPlatform, events: readonly SimulatedEvent[], now: number): object {
    const { pageId, instagramId, businessAccountId, phoneNumberId } = this.#options.credentials;
    if (platform === 'whatsapp') {
      return whatsappBody(
        businessAccountId,
        events.flatMap((event) => whatsappChanges(event, phoneNumberId)),
      );
    }
    const accountId = platform === 'facebook' ? pageId : instagramId;
    const items = events.flatMap((event) => messengerItems(event, accountId));
    return { object: objects[platform], entry: messengerEntries(accountId, items, now) };
  }

  #repeat({ record, number }: Attempt, now: number): void {
    const interval = repetitionIntervals[number - 1];
    if (interval === undefined) record.state = 'lost';
    else
      this.#options.schedule().add(now + interval, () => this.#waiting.push({ record, number: number + 1 }));
  }
}
