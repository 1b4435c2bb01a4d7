/**
 * The load of live chat: widgets with one open socket each, a socket of the business, and messages in both directions at a constant
 * rate. It measures the time from sending a message until the other side receives it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ulid } from 'ulid';
import { WebSocket } from 'undici';
import { type LoadResult, summary } from './load.ts';

export type ChatLoad = {
  address: string;
  botId: string;
  widgetKey: string;
  adminToken: string;
  widgets: number;
  perSecond: number;
  durationMs: number;
};

type Widget = { visitorId: string; visitorToken: string };
type Heard = (messageId: string) => void;

const openedAtOnce = 20;
/** A message that arrives later counts as lost. */
const lateMsMax = 10_000;
const pingMs = 30_000;

/** Runs the load. A received message counts as a response with status 200, a lost one as status 0. */
export async function loadChat(options: ChatLoad): Promise<LoadResult> {
  const { perSecond, durationMs } = options;
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  const heard: Heard = (messageId) => {
    const at = sentAt.get(messageId);
    if (at === undefined) return;
    sentAt.delete(messageId);
    latencies.push(performance.now() - at);
  };
  const widgets = await openWidgets(options, heard);
  const office = await openOffice(options, heard);
  const sockets = [...widgets.map(({ socket }) => socket), office];
  const pinging = setInterval(() => {
    for (const socket of sockets) socket.send('{"type":"ping"}');
  }, pingMs);
  const startedAt = performance.now();
  const failures: unknown[] = [];
  const posts: Promise<void>[] = [];
  const count = (perSecond * durationMs) / 1_000;
  for (let number = 0; number < count; number += 1) {
    const dueMs = startedAt + (number * 1_000) / perSecond - performance.now();
    if (dueMs > 0) await pause(dueMs);
    const { widget } = widgets[number % widgets.length] ?? {};
    if (!widget) break;
    const messageId = ulid();
    sentAt.set(messageId, performance.now());
    // Alternates between messages to the business and to the visitor.
    const sending = number % 2 === 0 ? write(options, widget, messageId) : answer(options, widget, messageId);
    posts.push(sending.catch((error: unknown) => void failures.push(error)));
  }
  await Promise.all(posts);
  const seconds = (performance.now() - startedAt) / 1_000;
  for (let waitedMs = 0; sentAt.size > 0 && waitedMs < lateMsMax; waitedMs += 50) await pause(50);
  clearInterval(pinging);
  for (const socket of sockets) socket.close();
  if (failures.length > 0) throw failures[0];
  return summary(
    latencies,
    { 200: latencies.length, ...(sentAt.size > 0 ? { 0: sentAt.size } : {}) },
    seconds,
  );
}

async function openWidgets(
  options: ChatLoad,
  heard: Heard,
): Promise<{ widget: Widget; socket: WebSocket }[]> {
  const { address, widgetKey } = options;
  const opened: { widget: Widget; socket: WebSocket }[] = [];
  let begun = 0;
  const open = async (): Promise<void> => {
    while (begun < options.widgets) {
      begun += 1;
      const widget = await post<Widget>(`${address}/live-chat/v1/${widgetKey}/session`, {}, {});
      const hello = { type: 'hello', visitorToken: widget.visitorToken, after: 0 };
      const url = `${address}/live-chat/v1/${widgetKey}/socket`;
      const socket = await openSocket(url, hello, ({ from, messageId }) => {
        if (from === 'agent') heard(messageId);
      });
      opened.push({ widget, socket });
    }
  };
  await Promise.all(Array.from({ length: openedAtOnce }, open));
  return opened;
}

function openOffice({ address, botId, adminToken }: ChatLoad, heard: Heard): Promise<WebSocket> {
  const hello = { type: 'hello', token: adminToken };
  return openSocket(`${address}/api/v1/bots/${botId}/chats/socket`, hello, ({ from, messageId }) => {
    if (from === 'visitor') heard(messageId);
  });
}

function openSocket(
  url: string,
  hello: object,
  onMessage: (message: { from: string; messageId: string }) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'));
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => socket.send(JSON.stringify(hello)));
    socket.addEventListener('close', ({ code }) => reject(new Error(`a socket was closed with ${code}`)));
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data));
      if (frame.type === 'ready') resolve(socket);
      else if (frame.type === 'message') onMessage(frame.message);
    });
  });
}

async function write({ address, widgetKey }: ChatLoad, widget: Widget, messageId: string): Promise<void> {
  const authorization = `Bearer ${widget.visitorToken}`;
  const body = { messageId, text: '請問今天可以出貨嗎？' };
  await post(`${address}/live-chat/v1/${widgetKey}/messages`, { authorization }, body);
}

async function answer(
  { address, botId, adminToken }: ChatLoad,
  widget: Widget,
  messageId: string,
): Promise<void> {
  const url = `${address}/api/v1/bots/${botId}/chats/${widget.visitorId}/messages`;
  await post(
    url,
    { authorization: `Bearer ${adminToken}` },
    { messageId, text: '可以的，謝謝您的耐心等候。' },
  );
}

async function post<Answer>(url: string, headers: Record<string, string>, body: object): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
