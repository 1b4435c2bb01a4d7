/**
 * The demo's shop on LINE: its sends through Shoal's gateway while LINE's simulated days pass, and its broadcasts by hand.
 *
 * Each action depends on the stop and the LINE simulator only. So a later run of the same world makes the same calls in the same
 * order. LINE returns the same request ids, and the server counts each send once.
 */
import { dayMs, dayOf, hourMs, lineZone, minuteMs } from '../src/time.ts';
import type { Person, SimulatedEvent } from './events/event.ts';
import type { LineSimulator } from './line/simulator.ts';
import { replyTokenOf } from './line/webhook-body.ts';

/** An instant at which LINE's clock pauses and the shop acts. */
export type Stop = {
  /** ms */
  at: number;
  /** The number of its day, from 0. */
  day: number;
  isEvening: boolean;
};

/** The answers of LINE's quota calls at a stop. */
type QuotaReading = { day: string; value: number; totalUsage: number };

const shopOffsetMs = 8 * hourMs;
const stopTimes = [
  { ms: 11 * hourMs + 30 * minuteMs, isEvening: false },
  { ms: 18 * hourMs + 30 * minuteMs, isEvening: true },
];
/** LINE's figures of the last days are not ready. Only LINE knows the recipients of broadcasts, so the shop sends none then. */
const lastDays = 2;
const answerMsMax = 30_000;

const newsTexts = ['本週新品上市', '會員日全館八八折', '限時免運三天', '週末滿千送百'];
const replyTexts = [
  '已為您保留，歡迎到店取貨！',
  'ご連絡ありがとうございます。在庫がございます。',
  'Yes, we ship today.',
];

/** The shop's stops between two instants, in order. */
export function stopsBetween(from: number, until: number): Stop[] {
  const firstDay = Math.floor((from + shopOffsetMs) / dayMs) * dayMs - shopOffsetMs;
  const days = Math.ceil((until - firstDay) / dayMs);
  return Array.from({ length: days }, (_, day) =>
    stopTimes.map(({ ms, isEvening }) => ({ at: firstDay + day * dayMs + ms, day, isEvening })),
  )
    .flat()
    .filter(({ at }) => at > from && at < until);
}

type Options = {
  simulator: LineSimulator;
  address: string;
  /** The end of the world, ms. The shop sends nothing through the gateway after it. */
  until: number;
  /** The usual setting of the LINE simulator. */
  lateMinutesMax: number;
  log(text: string): void;
};

export class LineShop {
  /** Replies and pushes, as messages of their conversations. */
  readonly answers: SimulatedEvent[] = [];
  readonly quotas: QuotaReading[] = [];
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Acts at a stop. LINE's clock must have reached it. */
  async act({ at, day, isEvening }: Stop): Promise<void> {
    const { simulator, until } = this.#options;
    const { control } = simulator;
    if (!isEvening) this.quotas.push({ day: dayOf(at, lineZone), ...control.quota() });
    if (!isEvening && day % 9 === 8) control.broadcastByHand('本週新品上市，到店出示此訊息享九折優惠');
    if (at > until) return;
    const friends = this.#friends();
    if (at < until - lastDays * dayMs && !isEvening) {
      const text = `${newsTexts[day % newsTexts.length]} https://shop.example/news/${day}`;
      const messages = [{ type: 'text', text }];
      if (day % 6 === 2) await this.#send('broadcast', { messages });
      if (day % 10 === 5) {
        const to = friends.slice(0, 60).map(({ id }) => id);
        await this.#send('multicast', { to, messages, customAggregationUnits: [`spring_${day}`] });
      }
    }
    const friend = friends[(day * 2 + Number(isEvening)) % Math.max(1, friends.length)];
    if (friend === undefined) return;
    if (isEvening) await this.#push(friend, day);
    else await this.#reply(friend, day);
  }

  async #push(person: Person, day: number): Promise<void> {
    const messages = [{ type: 'text', text: `您的訂單已出貨 https://shop.example/orders/${1_000 + day}` }];
    if (await this.#send('push', { to: person.id, messages })) this.#addAnswer(person, `push ${day}`);
  }

  async #reply(person: Person, day: number): Promise<void> {
    const { control } = this.#options.simulator;
    // A late webhook would contain an expired reply token.
    control.set({ webhook: { lateMinutesMax: 0 } });
    const userId = person.id === null ? {} : { userId: person.id };
    const { webhookEventId } = await control.act({ action: 'write', ...userId });
    const message = control.deliveredEvents().find(({ id }) => id === webhookEventId);
    const replyToken = message && replyTokenOf(message);
    control.set({ webhook: { lateMinutesMax: this.#options.lateMinutesMax } });
    if (!replyToken) return;
    const messages = [{ type: 'text', text: replyTexts[day % replyTexts.length] }];
    if (await this.#send('reply', { replyToken, messages })) this.#addAnswer(person, `reply ${day}`);
  }

  #addAnswer(person: Person, id: string): void {
    const at = Math.floor(this.#options.simulator.control.now());
    this.answers.push({ platform: 'line', kind: 'answer', form: 'text', id, at, person });
  }

  /** The friends that webhooks have named, in the order of their first event. */
  #friends(): Person[] {
    const { control } = this.#options.simulator;
    const friendIds = new Set(control.friends());
    const friends = new Map<string, Person>();
    for (const { person, groupId } of control.deliveredEvents()) {
      const id = person?.id;
      if (id && groupId === undefined && friendIds.has(id) && !friends.has(id)) friends.set(id, person);
    }
    return [...friends.values()];
  }

  /** Sends through the gateway. Logs an error answer and returns false. */
  async #send(kind: string, body: object): Promise<boolean> {
    const { simulator, address, log } = this.#options;
    const response = await fetch(`${address}/v2/bot/message/${kind}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${simulator.credentials.accessToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMsMax),
    });
    const answer = await response.text();
    if (!response.ok) log(`The gateway refused a ${kind} with ${response.status}: ${answer}`);
    return response.ok;
  }
}

/** The pushes and replies of days after LINE's last ready day, by day and LINE's names. */
export function unreportedSends(
  answers: readonly SimulatedEvent[],
  readyDay: string,
): Map<string, Record<string, number>> {
  const days = new Map<string, Record<string, number>>();
  for (const { at, id } of answers) {
    const day = dayOf(at, lineZone);
    if (day <= readyDay) continue;
    const name = id.startsWith('push') ? 'apiPush' : 'apiReply';
    const counts = days.get(day) ?? {};
    days.set(day, { ...counts, [name]: (counts[name] ?? 0) + 1 });
  }
  return days;
}
