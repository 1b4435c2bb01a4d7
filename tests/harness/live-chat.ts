/**
 * The two sides of a live chat for a test: a visitor that calls like the widget, and sockets that record received frames.
 */
import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import { WebSocket } from 'undici';
import { type AdminScope, createAdminToken } from '../../src/auth/admin-tokens.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import type { TestServer } from './server.ts';
import { waitMsMax } from './until.ts';

export type Answer = { status: number; headers: Headers; body: JsonObject };
export type Frame = JsonObject & { type?: unknown };

/** A bot with a live chat, and its widget key. */
export async function addLiveChat(
  server: TestServer,
  settings: { allowedOrigins?: string[]; identityKey?: string; identityRequired?: boolean } = {},
): Promise<{ botId: string; widgetKey: string }> {
  const { botId } = await server.addBot();
  const widgetKey = `widget-${botId}`;
  await server.addChannel(botId, { platform: 'liveChat', secret: widgetKey, ...settings });
  return { botId, widgetKey };
}

/** A call like that of a page. */
export async function callLiveChat(
  address: string,
  path: string,
  {
    token,
    body,
    origin,
    method = body === undefined ? 'GET' : 'POST',
    headers = {},
  }: {
    token?: string;
    body?: unknown;
    origin?: string;
    method?: string;
    headers?: Record<string, string>;
  } = {},
): Promise<Answer> {
  const isBytes = body instanceof Uint8Array;
  const response = await fetch(`${address}/live-chat/v1/${path}`, {
    method,
    headers: {
      ...(body === undefined || isBytes ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(origin === undefined ? {} : { origin }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const parsed: unknown = isJson ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, body: isObject(parsed) ? parsed : {} };
}

/** A visitor of a live chat, with a session. */
export async function visit(address: string, widgetKey: string, session: JsonObject = {}) {
  const begun = await callLiveChat(address, `${widgetKey}/session`, { body: session });
  const token = String(begun.body.visitorToken);
  const call = (path: string, options: Parameters<typeof callLiveChat>[2] = {}, at = address) =>
    callLiveChat(at, `${widgetKey}/${path}`, { token, ...options });
  return {
    token,
    visitorId: String(begun.body.visitorId),
    call,
    /** Sends a text, with a new id or the passed one. */
    send: (text: string, messageId = ulid(), at = address) =>
      call('messages', { body: { messageId, text } }, at),
    socket: (after = 0, at = address) =>
      openSocket(`${at}/live-chat/v1/${widgetKey}/socket`, { type: 'hello', visitorToken: token, after }),
  };
}

/** The business's side: calls with its own token, and a socket. */
export async function answerChats(server: TestServer, botId: string, scope: AdminScope = 'write') {
  const making = { now: Date.now(), random: randomBytes };
  const { token } = await createAdminToken(server.sql, { name: 'agent', scope, botIds: [botId] }, making);
  return {
    token,
    async call(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
      const response = await fetch(`${server.address}/api/v1/bots/${botId}/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? {} : JSON.parse(text),
      };
    },
    socket: (at = server.address) =>
      openSocket(`${at}/api/v1/bots/${botId}/chats/socket`, { type: 'hello', token }),
  };
}

export type Socket = {
  /** All received frames, in order. */
  frames: Frame[];
  /** The close code; null while it is open. */
  code: number | null;
  send(frame: unknown): void;
  close(): void;
  /** Resolves when a condition is true. */
  until(holds: (socket: Socket) => boolean): Promise<void>;
  /** The received messages. */
  messages(): JsonObject[];
};

/** Opens a socket and sends the hello. */
export function openSocket(
  url: string,
  hello: unknown,
  { headers = {} }: { headers?: Record<string, string> } = {},
): Socket {
  const client = new WebSocket(url.replace(/^http/, 'ws'), { headers });
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const look of waiting) look();
  };
  const socket: Socket = {
    frames: [],
    code: null,
    send: (frame) => client.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    close: () => client.close(),
    until: (holds) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`it did not come: ${holds}; there was ${JSON.stringify(socket.frames)} ${socket.code}`),
          );
        }, waitMsMax);
        const look = () => {
          if (!holds(socket)) return;
          waiting.delete(look);
          clearTimeout(late);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    messages: () =>
      socket.frames.flatMap(({ type, message }) =>
        type === 'message' && isObject(message) ? [message] : [],
      ),
  };
  client.addEventListener('open', () => {
    if (hello !== null) socket.send(hello);
  });
  client.addEventListener('message', ({ data }) => {
    const frame: unknown = JSON.parse(String(data));
    if (isObject(frame)) socket.frames.push(frame);
    changed();
  });
  client.addEventListener('close', ({ code }) => {
    socket.code = code;
    changed();
  });
  client.addEventListener('error', () => undefined);
  return socket;
}
