/**
 * The visitors' API calls. Each returns the answer, or the failure as a value.
 */
import type { ImageType } from './image-type.ts';
import {
  isObject,
  type Message,
  type MessagePage,
  readMessage,
  readMessagePage,
  readSession,
  type Session,
} from './protocol.ts';
import type { Identity } from './settings.ts';

export type Failure = {
  ok: false;
  /** 0: the server did not answer, or not in time. */
  status: number;
  /** The code of the problem document; empty without one. */
  code: string;
  retryAfterSeconds: number;
};
export type Outcome<Value> = { ok: true; value: Value } | Failure;

export type Calls = {
  session(token: string | null, identity: Identity | null, language: string): Promise<Outcome<Session>>;
  messages(token: string, range: { after?: number; before?: number }): Promise<Outcome<MessagePage>>;
  sendText(token: string, messageId: string, text: string): Promise<Outcome<Message>>;
  sendImage(token: string, messageId: string, type: ImageType, image: Blob): Promise<Outcome<Message>>;
  image(token: string, messageId: string): Promise<Outcome<Blob>>;
  seen(token: string, sequence: number): Promise<Outcome<null>>;
};

const pageSize = 50;
/** The limits of the contract, in characters. */
const addressLengthMax = 4_000;
const titleLengthMax = 1_000;
const nameLengthMax = 200;
const callMsMax = 20_000;
/** 5 MB at 0.5 Mbit/s. */
const imageMsMax = 90_000;

/** `base` ends with a slash. */
export function openCalls(base: string): Calls {
  const call = async <Value>(
    token: string | null,
    path: string,
    { ms = callMsMax, ...init }: RequestInit & { ms?: number },
    read: (response: Response) => Promise<Value | null>,
  ): Promise<Outcome<Value>> => {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set('authorization', `Bearer ${token}`);
    try {
      const signal = AbortSignal.timeout(ms);
      const response = await fetch(new URL(path, base), { credentials: 'omit', ...init, headers, signal });
      if (!response.ok) return failureOf(response);
      const value = await read(response);
      return value === null ? unreachable : { ok: true, value };
    } catch {
      // fetch throws without an answer: no network, a time-out, a refused origin.
      return unreachable;
    }
  };
  const postOf = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // The request survives leaving the page.
    keepalive: true,
  });
  return {
    session: (token, identity, language) =>
      call(
        token,
        'session',
        postOf({
          language,
          page: pageOf(),
          ...(identity && { identifier: identity.identifier, identifierHash: identity.identifierHash }),
          ...(identity?.name && { name: identity.name.slice(0, nameLengthMax) }),
        }),
        async (response) => readSession(await response.json()),
      ),
    messages: (token, range) => {
      const query = Object.entries({ ...range, limit: pageSize }).map(([name, value]) => `${name}=${value}`);
      return call(token, `messages?${query.join('&')}`, {}, async (response) =>
        readMessagePage(await response.json()),
      );
    },
    sendText: (token, messageId, text) =>
      call(token, 'messages', postOf({ messageId, text }), async (response) =>
        readMessage(await response.json()),
      ),
    sendImage: (token, messageId, type, image) =>
      call(
        token,
        `images?messageId=${messageId}`,
        { method: 'POST', headers: { 'content-type': type }, body: image, ms: imageMsMax },
        async (response) => readMessage(await response.json()),
      ),
    image: (token, messageId) =>
      call(token, `images/${messageId}`, { ms: imageMsMax }, (response) => response.blob()),
    seen: async (token, sequence) => {
      const outcome = await call(token, 'seen', postOf({ sequence }), async () => true);
      return outcome.ok ? { ok: true, value: null } : outcome;
    },
  };
}

/** The visited page, for the agents, without the part after `#`, which can hold a secret. */
function pageOf(): { url: string; title: string; referrer: string } {
  const [url = ''] = location.href.split('#', 1);
  return {
    url: url.slice(0, addressLengthMax),
    title: document.title.slice(0, titleLengthMax),
    referrer: document.referrer.slice(0, addressLengthMax),
  };
}

const unreachable: Failure = { ok: false, status: 0, code: '', retryAfterSeconds: 0 };

async function failureOf(response: Response): Promise<Failure> {
  const problem: unknown = await response.json().catch(() => null);
  return {
    ok: false,
    status: response.status,
    code: isObject(problem) && typeof problem.code === 'string' ? problem.code : '',
    retryAfterSeconds: Number(response.headers.get('retry-after')) || 0,
  };
}
