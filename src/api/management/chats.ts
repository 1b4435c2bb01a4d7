/**
 * Operations on live chats: the business's side. News of them come over a socket (management-chat-socket.ts).
 */
import { Readable } from 'node:stream';
import type { Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { storable, textOf } from '../../json.ts';
import { type ChatPlace, findChat, listChats, refuseUnknown, setClosed } from '../../live-chat/chats.ts';
import type { LiveChat } from '../../live-chat/live-chat.ts';
import { markSeen, readImage, readMessages } from '../../live-chat/messages.ts';
import type { NewMessage } from '../../live-chat/posting.ts';
import { toImage } from '../../live-chat/uploaded-image.ts';
import { type Clock, isTime } from '../../time.ts';
import {
  limitOf,
  type ManagementCall,
  type ManagementOperations,
  pageOf,
  readCursor,
  textsOf,
} from './call.ts';

export type ChatSources = { sql: Sql; clock: Clock; liveChat: LiveChat };

const states = ['open', 'closed', 'all'] as const;

export function chatOperations({
  sql,
  clock,
  liveChat: { posting, signals },
}: ChatSources): ManagementOperations {
  const post = async (call: ManagementCall, message: NewMessage) => {
    const place = placeOf(call);
    const posted = await posting.post(message).catch((error: unknown) => {
      // Here it is no token that has led to the visitor.
      throw error instanceof Refusal && error.code === 'TOKEN_INVALID' ? refuseUnknown(place) : error;
    });
    call.tellReplayed(posted.repeated);
    return posted.message;
  };
  const close = (closed: boolean) => async (call: ManagementCall) => {
    const place = placeOf(call);
    await setClosed(sql, place, closed);
    signals.send({ ...place, type: 'chat' });
    return findChat(sql, place, { now: clock() });
  };
  return {
    async listChats({ bot, query }) {
      const limit = limitOf(query);
      const found = await listChats(sql, bot.botId, {
        state: states.find((state) => state === query.state) ?? 'all',
        search: textOf(query.search) ?? null,
        after: readCursor(query, toChatPlace),
        limit: limit + 1,
        now: clock(),
      });
      const { rows, nextCursor } = pageOf(found, limit, ({ place }) => place);
      return { chats: rows.map(({ chat }) => chat), nextCursor };
    },
    getChat: (call) => findChat(sql, placeOf(call), { now: clock() }),
    async listChatMessages(call) {
      const { after, before } = call.query;
      const page = await readMessages(sql, placeOf(call), {
        ...(typeof after === 'number' ? { after } : {}),
        ...(typeof before === 'number' ? { before } : {}),
        limit: limitOf(call.query),
      });
      return page ?? refuseUnknown(placeOf(call));
    },
    sendChatMessage: (call) => {
      const { messageId, text, quickReplies, from, agentName } = call.body;
      return post(call, {
        ...placeOf(call),
        messageId: String(messageId),
        from: from === 'bot' ? 'bot' : 'agent',
        senderId: call.caller.id,
        agentName: storable(agentName) ?? personOf(call),
        addressKey: null,
        quickReplies: (textsOf(quickReplies) ?? []).map((reply) => storable(reply) ?? ''),
        text: storable(text) ?? '',
        image: null,
      });
    },
    sendChatImage: async (call) => {
      return post(call, {
        ...placeOf(call),
        messageId: String(call.query.messageId),
        from: 'agent',
        senderId: call.caller.id,
        agentName: storable(call.query.agentName) ?? personOf(call),
        addressKey: null,
        quickReplies: [],
        text: null,
        image: toImage(call.upload?.bytes ?? new Uint8Array()),
      });
    },
    async getChatImage(call) {
      const messageId = String(call.params.messageId);
      const image = await readImage(sql, { ...placeOf(call), messageId });
      if (image === null) throw new Refusal('IMAGE_NOT_FOUND', 'The chat has no image with that id.');
      const open = async () => Readable.from([image.content]);
      return { type: image.type, fileName: messageId, open };
    },
    async seeChat(call) {
      const place = placeOf(call);
      await findChat(sql, place, { now: clock() });
      const sequence = await markSeen(sql, place, { by: 'business', sequence: Number(call.body.sequence) });
      if (sequence !== null) signals.send({ ...place, type: 'seen', by: 'business', sequence });
    },
    closeChat: close(true),
    openChat: close(false),
  };
}

/** What the visitor is told of who writes, unless the call says it; null: a program calls. */
export function personOf({ caller: { kind, name } }: Pick<ManagementCall, 'caller'>): string | null {
  return kind === 'user' ? name : null;
}

function placeOf({ bot: { botId }, params }: ManagementCall): { botId: string; visitorId: string } {
  return { botId, visitorId: String(params.visitorId) };
}

function toChatPlace({ at, visitorId }: JsonObject): ChatPlace | null {
  return isTime(at) && typeof visitorId === 'string' && visitorIdForm.test(visitorId)
    ? { at, visitorId }
    : null;
}

export const visitorIdForm = /^v_[A-Za-z]{1,64}$/;
