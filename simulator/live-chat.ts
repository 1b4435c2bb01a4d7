/**
 * Live chat in the sandbox: visitors who write, the shop's bot that answers, and what was said, read back as happenings. All of it
 * over HTTP, as the widget and a business's own program would.
 */
import { ulid } from 'ulid';
import { type Clock, secondMs } from '../src/time.ts';
import { isObject, type JsonObject } from './caller.ts';
import type { Chance } from './chance.ts';
import type { Happening, Person } from './happening.ts';

export type ChatPlace = {
  address: string;
  botId: string;
  /** Opens the management API for the bot, with scope write. */
  adminToken: string;
  widgetKey: string;
  /** The origin of the page that carries the widget. */
  origin: string;
};

const answerMsMax = 30_000;
const visitorsMax = 4;
const pageSize = 200;

const questions: Record<string, readonly [string, ...string[]]> = {
  'zh-Hant': ['請問今天可以出貨嗎？', '台北門市幾點開門？', '這件還有 M 號嗎？', '謝謝！'],
  ja: ['在庫はありますか？', '営業時間を教えてください。', '返品はできますか？', 'ありがとうございます。'],
  en: ['Do you ship today?', 'When do you open?', 'Can I return this?', 'Thank you!'],
};
const answers: Record<string, { text: string; quickReplies: readonly string[] }> = {
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

/** What visitors ask a person of the shop, and the answers, in turns. */
const talks: Record<string, readonly [question: string, answer: string][]> = {
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
const agents: Record<string, string> = { 'zh-Hant': '雅婷', ja: '美咲', en: 'Kevin' };

type Visitor = { visitorId: string; token: string; language: string };
type Chat = { visitorId: string; language: string | null; lastSequence: number; isAsking: boolean };

export class SandboxChat {
  readonly #place: ChatPlace;
  readonly #chance: Chance;
  readonly #visitors: Visitor[] = [];
  /** What was said, by visitor, as far as it has been read. */
  readonly #said = new Map<string, { after: number; happenings: Happening[] }>();

  constructor(place: ChatPlace, chance: Chance) {
    this.#place = place;
    this.#chance = chance;
  }

  /** One of a few visitors writes; at first each is a new one. A visitor whose message is refused does not come again. */
  async write(now: number): Promise<void> {
    const isNew = this.#visitors.length < visitorsMax && this.#chance.happens(0.5);
    const visitor =
      this.#visitors.length === 0 || isNew
        ? await this.#enter()
        : this.#chance.pick(this.#visitors as [Visitor]);
    if (!this.#visitors.includes(visitor)) this.#visitors.push(visitor);
    const text = this.#chance.pick(questions[visitor.language] ?? ['Hello']);
    try {
      await this.#say(visitor, text, now);
    } catch (error) {
      this.#visitors.splice(this.#visitors.indexOf(visitor), 1);
      throw error;
    }
  }

  /** A talk of a new visitor with the shop's bot, then with an agent, who closes the chat. `pass` moves the server's clock. */
  async talk(clock: Clock, pass: (ms: number) => void): Promise<void> {
    const visitor = await this.#enter();
    const { visitorId, language } = visitor;
    const wait = () => pass(this.#chance.whole(10, 150) * secondMs);
    await this.#say(visitor, this.#chance.pick(questions[language] ?? ['Hello']), clock());
    pass(secondMs);
    await this.#answerTo(visitorId, language, clock());
    const turns = (talks[language] ?? []).slice(0, this.#chance.whole(0, 3));
    for (const [question, text] of turns) {
      wait();
      await this.#say(visitor, question, clock());
      wait();
      const agent = { from: 'agent', agentName: agents[language] };
      const { sequence } = await this.#asBusiness(`/${visitorId}/messages`, {
        ...{ ...agent, text },
        messageId: this.#messageId(clock()),
      });
      await this.#asBusiness(`/${visitorId}/seen`, { sequence });
    }
    if (turns.length > 0) await this.#asBusiness(`/${visitorId}/close`, {});
  }

  /** The shop's bot answers whoever wrote last in a chat, in their language. Gives how many. */
  async answer(now: number): Promise<number> {
    const asking = (await this.#chats()).filter(({ isAsking }) => isAsking);
    for (const { visitorId, language } of asking) {
      await this.#answerTo(visitorId, languageOf(language), now);
    }
    return asking.length;
  }

  /** All that was said in all chats, as the chats themselves tell it; what was read before is not read again. */
  async happenings(): Promise<Happening[]> {
    for (const { visitorId, lastSequence } of await this.#chats()) {
      const said = this.#said.get(visitorId) ?? { after: 0, happenings: [] };
      this.#said.set(visitorId, said);
      while (said.after < lastSequence) {
        const page = await this.#asBusiness(`/${visitorId}/messages?after=${said.after}&limit=${pageSize}`);
        const messages = listOf(page.messages);
        if (messages.length === 0) break;
        said.happenings.push(...messages.map((message) => toHappening(visitorId, message)));
        said.after = Number(messages.at(-1)?.sequence);
      }
    }
    return [...this.#said.values()].flatMap(({ happenings }) => happenings);
  }

  async #enter(): Promise<Visitor> {
    const language = this.#chance.weighted({ 'zh-Hant': 5, ja: 3, en: 2 });
    const page = { url: `${this.#place.origin}/`, title: 'Demo shop', referrer: '' };
    const { visitorToken, visitorId } = await this.#asVisitor('session', null, { language, page });
    return { visitorId: String(visitorId), token: String(visitorToken), language };
  }

  async #say({ token }: Visitor, text: string, now: number): Promise<void> {
    await this.#asVisitor('messages', token, { messageId: this.#messageId(now), text });
  }

  async #answerTo(visitorId: string, language: string, now: number): Promise<void> {
    const answer = { ...answers[language], messageId: this.#messageId(now), from: 'bot' };
    await this.#asBusiness(`/${visitorId}/messages`, answer);
  }

  async #chats(): Promise<Chat[]> {
    const chats: Chat[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: JsonObject = await this.#asBusiness(`?state=all&limit=100${cursor && `&cursor=${cursor}`}`);
      for (const { visitorId, language, lastSequence, lastMessage } of listOf(page.chats)) {
        const isAsking = isObject(lastMessage) && lastMessage.from === 'visitor';
        chats.push({
          visitorId: String(visitorId),
          language: typeof language === 'string' ? language : null,
          lastSequence: Number(lastSequence),
          isAsking,
        });
      }
      cursor = typeof page.nextCursor === 'string' ? encodeURIComponent(page.nextCursor) : null;
    }
    return chats;
  }

  #messageId(now: number): string {
    return ulid(now, () => this.#chance.next());
  }

  #asVisitor(path: string, token: string | null, body: JsonObject): Promise<JsonObject> {
    const { address, widgetKey, origin } = this.#place;
    const bearer: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    return ask(`${address}/live-chat/v1/${widgetKey}/${path}`, { origin, ...bearer }, body);
  }

  #asBusiness(path: string, body: JsonObject | null = null): Promise<JsonObject> {
    const { address, botId, adminToken } = this.#place;
    return ask(
      `${address}/api/v1/bots/${botId}/chats${path}`,
      { authorization: `Bearer ${adminToken}` },
      body,
    );
  }
}

/** Posts the body, or gets where there is none. Throws an Error that shows the answer when it is not a success. */
async function ask(
  url: string,
  headers: Record<string, string>,
  body: JsonObject | null,
): Promise<JsonObject> {
  const response = await fetch(url, {
    ...(body === null
      ? { headers }
      : {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
    signal: AbortSignal.timeout(answerMsMax),
  });
  const answer: unknown = response.status === 204 ? {} : await response.json();
  if (!response.ok || !isObject(answer)) {
    throw new Error(`${new URL(url).pathname} answered ${response.status}: ${JSON.stringify(answer)}`);
  }
  return answer;
}

function toHappening(visitorId: string, { messageId, from, sentAt }: JsonObject): Happening {
  const person: Person = { platform: 'liveChat', id: visitorId, userId: null, friendBefore: false };
  const what = from === 'visitor' ? 'message' : 'answer';
  return {
    platform: 'liveChat',
    what,
    form: 'text',
    id: String(messageId),
    at: Date.parse(String(sentAt)),
    person,
  };
}

function languageOf(language: string | null): string {
  const [main = ''] = (language ?? '').toLowerCase().split('-');
  return main === 'zh' ? 'zh-Hant' : main === 'ja' ? 'ja' : 'en';
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
