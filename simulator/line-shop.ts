/**
 * The shop on LINE: what its program sends through Shoal's gateway while LINE's days pass, and what its owner sends by hand.
 *
 * Everything depends on the stop and on LINE's side alone. So a later run of the same story makes the same calls in the same
 * order, LINE answers them with the same request ids, and the server counts each send once.
 */
import { dayMs, dayOf, hourMs, lineZone, minuteMs } from '../src/time.ts';
import type { Happening } from './happening.ts';
import type { LineSide } from './line/line-side.ts';
import { replyTokenOf } from './line-bodies.ts';

/** A moment at which LINE's clock rests and the shop acts. */
export type Stop = {
  /** ms */
  at: number;
  /** The number of its day since the beginning, from 0. */
  day: number;
  isEvening: boolean;
};

/** A LINE quota as its call would have answered at a stop. */
export type QuotaReading = { day: string; value: number; totalUsage: number };

const shopOffsetMs = 8 * hourMs;
const hours = [
  { ms: 11 * hourMs + 30 * minuteMs, isEvening: false },
  { ms: 18 * hourMs + 30 * minuteMs, isEvening: true },
];
/** LINE's figures of the last days are not ready: sends whose recipients only LINE knows end before them. */
const quietDays = 2;
const answerMsMax = 30_000;

const news = ['本週新品上市', '會員日全館八八折', '限時免運三天', '週末滿千送百'];
const answers = [
  '已為您保留，歡迎到店取貨！',
  'ご連絡ありがとうございます。在庫がございます。',
  'Yes, we ship today.',
];

/** The shop's stops between two instants, in order. */
export function stopsBetween(from: number, until: number): Stop[] {
  const firstDay = Math.floor((from + shopOffsetMs) / dayMs) * dayMs - shopOffsetMs;
  const days = Math.ceil((until - firstDay) / dayMs);
  return Array.from({ length: days }, (_, day) =>
    hours.map(({ ms, isEvening }) => ({ at: firstDay + day * dayMs + ms, day, isEvening })),
  )
    .flat()
    .filter(({ at }) => at > from && at < until);
}

export class LineShop {
  /** The replies and pushes, as messages of their conversations. */
  readonly answers: Happening[] = [];
  readonly quotas: QuotaReading[] = [];
  readonly #side: LineSide;
  readonly #address: string;
  /** The end of the story, ms: nothing is sent through the gateway after it. */
  readonly #until: number;
  readonly #lateMinutesMax: number;
  readonly #log: (text: string) => void;

  constructor(options: {
    side: LineSide;
    address: string;
    until: number;
    /** What LINE's side is set to, otherwise. */
    lateMinutesMax: number;
    log(text: string): void;
  }) {
    this.#side = options.side;
    this.#address = options.address;
    this.#until = options.until;
    this.#lateMinutesMax = options.lateMinutesMax;
    this.#log = options.log;
  }

  /** Acts at a stop that LINE's clock has reached. */
  async act({ at, day, isEvening }: Stop): Promise<void> {
    const { control } = this.#side;
    if (!isEvening) this.quotas.push({ day: dayOf(at, lineZone), ...control.quota() });
    if (!isEvening && day % 9 === 8) control.broadcastByHand('本週新品上市，到店出示此訊息享九折優惠');
    if (at > this.#until) return;
    const friends = this.#friends();
    if (at < this.#until - quietDays * dayMs && !isEvening) {
      const messages = [
        { type: 'text', text: `${news[day % news.length]} https://shop.example/news/${day}` },
      ];
      if (day % 6 === 2) await this.#send('broadcast', { messages });
      if (day % 10 === 5) {
        const to = friends.slice(0, 60).map(({ person }) => person?.id);
        await this.#send('multicast', { to, messages, customAggregationUnits: [`spring_${day}`] });
      }
    }
    const friend = friends[(day * 2 + Number(isEvening)) % Math.max(1, friends.length)];
    if (friend === undefined) return;
    if (isEvening) await this.#push(friend, day);
    else await this.#reply(friend, day);
  }

  async #push({ person }: Happening, day: number): Promise<void> {
    const messages = [{ type: 'text', text: `您的訂單已出貨 https://shop.example/orders/${1_000 + day}` }];
    if (await this.#send('push', { to: person?.id, messages })) this.#answered(person, `push ${day}`);
  }

  async #reply({ person }: Happening, day: number): Promise<void> {
    const { control } = this.#side;
    // A webhook that is late would bring its token too late.
    control.set({ webhook: { lateMinutesMax: 0 } });
    const { webhookEventId } = await control.act({
      action: 'write',
      ...(person?.id ? { userId: person.id } : {}),
    });
    const written = control.told().find(({ id }) => id === webhookEventId);
    const replyToken = written && replyTokenOf(written);
    control.set({ webhook: { lateMinutesMax: this.#lateMinutesMax } });
    if (!replyToken) return;
    const messages = [{ type: 'text', text: answers[day % answers.length] }];
    if (await this.#send('reply', { replyToken, messages })) this.#answered(person, `reply ${day}`);
  }

  #answered(person: Happening['person'], id: string): void {
    this.answers.push({
      platform: 'line',
      what: 'answer',
      form: 'text',
      id,
      at: Math.floor(this.#side.control.now()),
      person,
    });
  }

  /** An event of each friend whom a webhook has named, in the order of the first. */
  #friends(): Happening[] {
    const friends = new Set(this.#side.control.friends());
    const named = new Map<string, Happening>();
    for (const happening of this.#side.control.told()) {
      const id = happening.person?.id;
      if (id && happening.group === undefined && friends.has(id) && !named.has(id)) named.set(id, happening);
    }
    return [...named.values()];
  }

  /** Sends through the gateway. False: it was refused, and that is logged. */
  async #send(kind: string, body: object): Promise<boolean> {
    const response = await fetch(`${this.#address}/v2/bot/message/${kind}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#side.credentials.accessToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMsMax),
    });
    const answer = await response.text();
    if (!response.ok) this.#log(`A ${kind} was refused with ${response.status}: ${answer}`);
    return response.ok;
  }
}

/** The messages of pushes and replies on days that LINE has not reported, by day and by LINE's names. */
export function ownSends(
  answers: readonly Happening[],
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
