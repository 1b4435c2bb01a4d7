/**
 * Simulated live chat: visitors who write, the shop's bot and agents who answer, and the messages as simulated events. It uses
 * HTTP only, like the widget and a business's own program.
 */
import { ulid } from 'ulid';
import { isObject, type JsonObject } from '../src/json.ts';
import { type Clock, secondMs } from '../src/time.ts';
import type { SimulatedEvent } from './events/event.ts';
import type { SeededRandom } from './events/random.ts';

export type ChatAccess = {
  address: string;
  botId: string;
  /** An admin token for the bot with scope write. */
  adminToken: string;
  widgetKey: string;
  /** The origin of the page with the widget. */
  origin: string;
};

const answerMsMax = 30_000;
const visitorsMax = 4;
const pageSize = 200;

const visitorTexts: Record<string, readonly [string, ...string[]]> = {
  'zh-Hant': ['請問今天可以出貨嗎？', '台北門市幾點開門？', '這件還有 M 號嗎？', '謝謝！'],
  ja: ['在庫はありますか？', '営業時間を教えてください。', '返品はできますか？', 'ありがとうございます。'],
  en: ['Do you ship today?', 'When do you open?', 'Can I return this?', 'Thank you!'],
};
const botAnswers: Record<string, { text: string; quickReplies: readonly string[] }> = {
  'zh-Hant': {
    text: '您好，我是示範機器人，已收到您的訊息。',
    quickReplies: ['營業時間', '我的訂單', '真人客服'],
  },
  ja: {
    text: 'こんにちは。デモのボットです。メッセージを受け取りました。',
    quickReplies: ['営業時間', '注文状況', 'スタッフと話す'],
  },
  en: {
    text: 'Hello, the demo’s bot here. Got your message.',
    quickReplies: ['Opening hours', 'My order', 'A person, please'],
  },
};

/** Conversations of visitors with an agent. */
const agentConversations: Record<string, readonly [question: string, answer: string][]> = {
  'zh-Hant': [
    ['我想找真人客服，訂單還沒收到。', '您好，我是雅婷，馬上為您查詢。'],
    ['訂單編號是 20931。', '已在配送途中，預計明天送達：https://shop.example/orders/20931'],
    ['太好了，謝謝！', '不客氣，祝您有美好的一天！'],
  ],
  ja: [
    ['スタッフの方とお話しできますか？', 'はい、担当の美咲です。ご用件をお聞かせください。'],
    ['サイズを交換したいです。', '承知しました。交換用のラベルをメールでお送りします。'],
    ['助かります。', 'またのご利用をお待ちしております。'],
  ],
  en: [
    ['Can I talk to a person, please?', 'Hi, this is Kevin. How can I help?'],
    ['My coupon does not work.', 'I have renewed it, please try again.'],
    ['It works now, thanks!', 'Great, enjoy your order!'],
  ],
};
const agentNames: Record<string, string> = { 'zh-Hant': '雅婷', ja: '美咲', en: 'Kevin' };

type Visitor = { visitorId: string; token: string; language: string };
type Chat = { visitorId: string; language: string | null; lastSequence: number; isWaiting: boolean };

export class SimulatedChat {
  readonly #access: ChatAccess;
  readonly #random: SeededRandom;
  readonly #visitors: Visitor[] = [];
  /** The messages read so far, by visitor. */
  readonly #history = new Map<string, { after: number; events: SimulatedEvent[] }>();

  constructor(access: ChatAccess, random: SeededRandom) {
    this.#access = access;
    this.#random = random;
  }

  /** A visitor writes, a new one or one of a few. A visitor whose message is refused does not return. */
  async write(now: number): Promise<void> {
    const isNew = this.#visitors.length < visitorsMax && this.#random.chance(0.5);
    const visitor =
      this.#visitors.length === 0 || isNew
        ? await this.#enter()
        : this.#random.pick(this.#visitors as [Visitor]);
    if (!this.#visitors.includes(visitor)) this.#visitors.push(visitor);
    const text = this.#random.pick(visitorTexts[visitor.language] ?? ['Hello']);
    try {
      await this.#say(visitor, text, now);
    } catch (error) {
      this.#visitors.splice(this.#visitors.indexOf(visitor), 1);
      throw error;
    }
  }

  /** A new visitor's conversation with the bot, then with an agent who closes the chat. `advance` moves the server's clock. */
  async converse(clock: Clock, advance: (ms: number) => void): Promise<void> {
    const visitor = await this.#enter();
    const { visitorId, language } = visitor;
    const wait = () => advance(this.#random.integer(10, 150) * secondMs);
    await this.#say(visitor, this.#random.pick(visitorTexts[language] ?? ['Hello']), clock());
    advance(secondMs);
    await this.#answerTo(visitorId, language, clock());
    const turns = (agentConversations[language] ?? []).slice(0, this.#random.integer(0, 3));
    for (const [question, text] of turns) {
      wait();
      await this.#say(visitor, question, clock());
      wait();
      const agent = { from: 'agent', agentName: agentNames[language] };
      const answer = { ...agent, text, messageId: this.#messageId(clock()) };
      const { sequence } = await this.#asBusiness(`/${visitorId}/messages`, answer);
      await this.#asBusiness(`/${visitorId}/seen`, { sequence });
    }
    if (turns.length > 0) await this.#asBusiness(`/${visitorId}/close`, {});
  }

  /** The bot answers each chat whose last message is the visitor's, in the visitor's language. Returns their number. */
  async answer(now: number): Promise<number> {
    const waiting = (await this.#chats()).filter(({ isWaiting }) => isWaiting);
    for (const { visitorId, language } of waiting) {
      await this.#answerTo(visitorId, languageOf(language), now);
    }
    return waiting.length;
  }

  /** The messages of all chats. Reads new messages only. */
  async events(): Promise<SimulatedEvent[]> {
    for (const { visitorId, lastSequence } of await this.#chats()) {
      const history = this.#history.get(visitorId) ?? { after: 0, events: [] };
      this.#history.set(visitorId, history);
      while (history.after < lastSequence) {
        const query = `after=${history.after}&limit=${pageSize}`;
        const page = await this.#asBusiness(`/${visitorId}/messages?${query}`);
        const messages = listOf(page.messages);
        if (messages.length === 0) break;
        history.events.push(...messages.map((message) => toEvent(visitorId, message)));
        history.after = Number(messages.at(-1)?.sequence);
      }
    }
    return [...this.#history.values()].flatMap(({ events }) => events);
  }

  async #enter(): Promise<Visitor> {
    const language = this.#random.weighted({ 'zh-Hant': 5, ja: 3, en: 2 });
    const page = { url: `${this.#access.origin}/`, title: 'Demo shop', referrer: '' };
    const { visitorToken, visitorId } = await this.#asVisitor('session', null, { language, page });
    return { visitorId: String(visitorId), token: String(visitorToken), language };
  }

  async #say({ token }: Visitor, text: string, now: number): Promise<void> {
    await this.#asVisitor('messages', token, { messageId: this.#messageId(now), text });
  }

  async #answerTo(visitorId: string, language: string, now: number): Promise<void> {
    const answer = { ...botAnswers[language], messageId: this.#messageId(now), from: 'bot' };
    await this.#asBusiness(`/${visitorId}/messages`, answer);
  }

  async #chats(): Promise<Chat[]> {
    const chats: Chat[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: JsonObject = await this.#asBusiness(`?state=all&limit=100${cursor && `&cursor=${cursor}`}`);
      for (const { visitorId, language, lastSequence, lastMessage } of listOf(page.chats)) {
        const isWaiting = isObject(lastMessage) && lastMessage.from === 'visitor';
        chats.push({
          visitorId: String(visitorId),
          language: typeof language === 'string' ? language : null,
          lastSequence: Number(lastSequence),
          isWaiting,
        });
      }
      cursor = typeof page.nextCursor === 'string' ? encodeURIComponent(page.nextCursor) : null;
    }
    return chats;
  }

  #messageId(now: number): string {
    return ulid(now, () => this.#random.next());
  }

  #asVisitor(path: string, token: string | null, body: JsonObject): Promise<JsonObject> {
    const { address, widgetKey, origin } = this.#access;
    const bearer: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    return call(`${address}/live-chat/v1/${widgetKey}/${path}`, { origin, ...bearer }, body);
  }

  #asBusiness(path: string, body: JsonObject | null = null): Promise<JsonObject> {
    const { address, botId, adminToken } = this.#access;
    const authorization = `Bearer ${adminToken}`;
    return call(`${address}/api/v1/bots/${botId}/chats${path}`, { authorization }, body);
  }
}

/** Posts the body, or gets without one. Throws an Error with the answer when the call fails. */
async function call(
  url: string,
  headers: Record<string, string>,
  body: JsonObject | null,
): Promise<JsonObject> {
  const post = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const request = body === null ? { headers } : post;
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(answerMsMax) });
  const answer: unknown = response.status === 204 ? {} : await response.json();
  if (!response.ok || !isObject(answer)) {
    throw new Error(`${new URL(url).pathname} answered ${response.status}: ${JSON.stringify(answer)}`);
  }
  return answer;
}

function toEvent(visitorId: string, { messageId, from, sentAt }: JsonObject): SimulatedEvent {
  return {
    platform: 'liveChat',
    kind: from === 'visitor' ? 'message' : 'answer',
    form: 'text',
    id: String(messageId),
    at: Date.parse(String(sentAt)),
    person: { platform: 'liveChat', id: visitorId, userId: null },
  };
}

function languageOf(language: string | null): string {
  const [main = ''] = (language ?? '').toLowerCase().split('-');
  return main === 'zh' ? 'zh-Hant' : main === 'ja' ? 'ja' : 'en';
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
