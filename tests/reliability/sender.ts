/**
 * A seeded sender of webhooks, as the platforms, while Shoal is killed.
 *
 * It sends messages of the platforms (default: LINE and WhatsApp) continuously, several deliveries at a time. It repeats deliveries without a 200, or gives them
 * up, as the platforms do after some time. Occasionally it repeats an acknowledged one. It remembers the keys of sent and acknowledged
 * messages for the final comparison.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../../simulator/events/random.ts';
import { dayMs, minuteMs } from '../../src/time.ts';
import { deliver, lineBody, messengerBody, type WebhookPlatform, whatsappBody } from '../harness/webhooks.ts';

type Delivery = { platform: WebhookPlatform; body: string; keys: string[] };

type SenderOptions = {
  platforms?: readonly [WebhookPlatform, ...WebhookPlatform[]];
  people?: number;
  /** The longest pause after an answer, ms. */
  pauseMsMax?: number;
};

const firstAt = Date.parse('2026-03-01T00:00:00+08:00');
const connections = 8;

/** The account of both Messenger and Instagram. */
export const messengerAccount = '1000000001';
const refusedPauseMs = 30;
/** One delivery in this number. */
const repeatRate = 0.05;
const giveUpRate = 0.1;

export class Sender {
  /** Changes when the server starts again on another port. */
  address = '';
  /** Each message by its platform and key, as the events table has it. */
  readonly sent = new Set<string>();
  readonly acknowledged = new Set<string>();
  /** Answers that the platforms should never get for a good delivery. */
  readonly wrongAnswers = new Set<string>();
  readonly #botId: string;
  readonly #random: SeededRandom;
  readonly #again: Delivery[] = [];
  readonly #options: Required<SenderOptions>;
  #running = false;
  #underWay = 0;
  #done: Promise<unknown> = Promise.resolve();

  constructor(botId: string, random: SeededRandom, options: SenderOptions = {}) {
    this.#botId = botId;
    this.#random = random;
    this.#options = { platforms: ['line', 'whatsapp'], people: 40, pauseMsMax: 15, ...options };
  }

  /** Deliveries without an answer. */
  get underWay(): number {
    return this.#underWay;
  }

  start(): void {
    this.#running = true;
    this.#done = Promise.all(Array.from({ length: connections }, () => this.#send()));
  }

  /** Stops after the deliveries under way. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #send(): Promise<void> {
    while (this.#running) {
      const delivery = this.#again.pop() ?? this.#make();
      const stored = await this.#post(delivery);
      if (stored) {
        for (const key of delivery.keys) this.acknowledged.add(key);
        if (this.#random.chance(repeatRate)) this.#again.push(delivery);
      } else if (!this.#random.chance(giveUpRate)) this.#again.push(delivery);
      await pause(stored ? this.#random.integer(0, this.#options.pauseMsMax) : refusedPauseMs);
    }
  }

  async #post({ platform, body }: Delivery): Promise<boolean> {
    this.#underWay += 1;
    const answer = await deliver(this.address, { botId: this.#botId, platform }, body).catch(() => null);
    this.#underWay -= 1;
    if (answer === null) return false;
    if (answer.status !== 200 && answer.status !== 503) {
      this.wrongAnswers.add(`${answer.status} ${await answer.text().catch(() => '')}`);
    }
    await answer.body?.cancel().catch(() => undefined);
    return answer.status === 200;
  }

  #make(): Delivery {
    const random = this.#random;
    const messages = Array.from({ length: random.integer(1, 3) }, () => ({
      id: random.text('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 26),
      user: `person-${random.integer(1, this.#options.people)}`,
      // Close together and unordered, so that conversations grow at both ends and merge.
      at: firstAt + random.integer(0, 2) * dayMs + random.integer(0, 600) * minuteMs,
    }));
    const platform = random.pick<WebhookPlatform>(this.#options.platforms);
    const keys = messages.map(({ id }) => `${platform} ${platform === 'line' ? id : `message:${id}`}`);
    for (const key of keys) this.sent.add(key);
    return {
      platform,
      keys,
      body: bodyOf(platform, messages),
    };
  }
}

type Message = { id: string; user: string; at: number };

function bodyOf(platform: WebhookPlatform, messages: readonly Message[]): string {
  if (platform === 'line') return lineBody(messages.map((message) => ({ type: 'message', ...message })));
  const sent = messages.map(({ id, user, at }) => ({ id, from: user.replace('person-', '88691200'), at }));
  return platform === 'whatsapp' ? whatsappBody(sent) : messengerBody(platform, messengerAccount, sent);
}
