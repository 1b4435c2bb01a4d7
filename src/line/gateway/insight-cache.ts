/**
 * Insight calls that Shoal does not hold, such as those about rich menus on other days than the stored ones: asked of LINE, which
 * allows 60 an hour, and cached for an hour. LINE counts a day once, on the next day. Callers with the same call share one call to
 * LINE. Errors are not cached.
 */
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../errors.ts';
import { type Clock, hourMs } from '../../time.ts';
import type { LineAnswer, LineHost } from '../line-host.ts';
import type { WithToken } from './send.ts';

type Caller = { botId: string; withToken: WithToken };
type Answer = Omit<LineAnswer, 'body'> & { body: Uint8Array };

const bytesMax = 32 * 1024 * 1024;
const cachedMs = hourMs;

export class InsightCache {
  readonly #line: LineHost;
  readonly #clock: Clock;
  readonly #answers = new LRUCache<string, { answer: Answer; until: number }>({
    maxSize: bytesMax,
    sizeCalculation: ({ answer }, key) => answer.body.byteLength + key.length + 1_000,
  });
  readonly #running = new Map<string, Promise<Answer>>();

  constructor({ line, clock }: { line: LineHost; clock: Clock }) {
    this.#line = line;
    this.#clock = clock;
  }

  /** Returns LINE's answer of a `GET`. Throws Refusal LINE_UNREACHABLE, LINE_TOO_SLOW. */
  async read({ botId, withToken }: Caller, path: string): Promise<Answer> {
    const key = `${botId} ${path}`;
    const cached = this.#answers.get(key);
    if (cached && cached.until > this.#clock()) return cached.answer;
    const running = this.#running.get(key);
    if (running) return running;
    const asking = this.#ask(key, path, withToken).finally(() => this.#running.delete(key));
    this.#running.set(key, asking);
    return asking;
  }

  async #ask(key: string, path: string, withToken: WithToken): Promise<Answer> {
    const { body, ...head } = await withToken((accessToken) => {
      const authorization = ['authorization', `Bearer ${accessToken}`];
      const headers = [...authorization, 'accept', 'application/json', 'user-agent', 'shoal'];
      return this.#line.call({ method: 'GET', path, headers, body: null });
    });
    if (body === null) throw new Refusal('LINE_UNREACHABLE', "LINE's answer broke off.");
    const answer = { ...head, body };
    if (head.status === 200) this.#answers.set(key, { answer, until: this.#clock() + cachedMs });
    return answer;
  }
}
