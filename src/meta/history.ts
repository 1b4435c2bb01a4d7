/**
 * Messages of earlier conversations, as deliveries for the inbox. The message ids are those of the webhooks, so no message counts
 * twice. Source: "Conversations API for Messenger Platform" (developers.facebook.com, 2026-02-11): Meta gives the sender of the 20
 * latest messages of a conversation. Texts are not requested.
 *
 * Meta gives whole seconds. The time of a message is the last millisecond of its second: a webhook about the same message is never
 * later, so its exact time stays.
 */
import { isObject, type JsonObject } from '../json.ts';
import { secondMs } from '../time.ts';
import { listOf } from './figures.ts';

const conversationsPerCall = 25;
const messagesPerConversation = 20;

/** The call for a page of conversations after the cursor; empty: the first page. */
export function historyPath(platform: 'facebook' | 'instagram', cursor: string): string {
  const fields = `id,messages.limit(${messagesPerConversation}){id,created_time,from,to}`;
  const after = cursor === '' ? '' : `&after=${encodeURIComponent(cursor)}`;
  const name = platform === 'facebook' ? 'messenger' : 'instagram';
  return `/me/conversations?platform=${name}&fields=${fields}&limit=${conversationsPerCall}${after}`;
}

/** The body of a delivery with the messages of a page; null: there are none. */
export function historyBody(
  platform: 'facebook' | 'instagram',
  accountId: string,
  { data }: JsonObject,
): string | null {
  const messages = listOf(data).flatMap(({ messages }) => (isObject(messages) ? listOf(messages.data) : []));
  const items = messages.flatMap((message) => readItem(message, accountId) ?? []);
  if (items.length === 0) return null;
  const object = platform === 'facebook' ? 'page' : 'instagram';
  return JSON.stringify({ object, entry: [{ id: accountId, messaging: items }] });
}

function readItem({ id, created_time, from, to }: JsonObject, accountId: string): object | null {
  const at = Date.parse(String(created_time).replace('+0000', 'Z'));
  const sender = isObject(from) ? from.id : undefined;
  const [recipient] = isObject(to) ? listOf(to.data) : [];
  if (typeof id !== 'string' || typeof sender !== 'string' || Number.isNaN(at)) return null;
  return {
    sender: { id: sender },
    ...(typeof recipient?.id === 'string' && { recipient: { id: recipient.id } }),
    timestamp: at + secondMs - 1,
    message: { mid: id, ...(sender === accountId && { is_echo: true }) },
  };
}
