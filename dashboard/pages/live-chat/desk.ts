/**
 * The state of the live chat page: the list of chats, the open chat, typing, and unsent messages. The socket keeps it up to date;
 * without a socket the page polls. Numbers always come from the API: frames only name the chat to load again.
 */
import { type Signal, signal } from '@preact/signals';
import { api, bodyOf } from '../../api/client.ts';
import type { Chat, Frame, Message } from './chat.ts';
import { type Chats, openChats } from './chats.ts';
import { type OpenChat, openOpenChat } from './open-chat.ts';
import { type Outbox, openOutbox } from './outbox.ts';
import { openAgentSocket } from './socket.ts';
import { createTyping, type Typing } from './typing.ts';

export type Draft = { text: string; quickReplies: readonly string[] };

export type Desk = Pick<Chats, 'list' | 'setQuery' | 'more'> &
  Pick<OpenChat, 'conversation' | 'open' | 'earlier'> & {
    chats: Chats['byVisitor'];
    typing: Typing['byVisitor'];
    /** False while there is no socket. */
    isLive: Signal<boolean>;
    outbox: Outbox;
    /** Unfinished messages, by visitor. */
    drafts: Map<string, Draft>;
    /** Reports to the visitor whether the agent is typing. */
    reportTyping(isTyping: boolean): void;
    /** Closes or reopens a chat. Throws ApiError. */
    setState(chat: Chat, state: 'open' | 'closed'): Promise<void>;
    /** Assigns a chat to a user; null: to no user. Throws ApiError. */
    assign(chat: Chat, userId: string | null): Promise<void>;
    /** Blocks or unblocks the contact of a chat. Throws ApiError. */
    setBlocked(chat: Chat, blocked: boolean): Promise<void>;
    reload(): void;
    close(): void;
  };

const pollMs = 5_000;

export function openDesk(botId: string): Desk {
  const isLive = signal(true);
  const chats = openChats(botId);
  const openChat = openOpenChat(botId, { onSeen: chats.refresh });
  const typing = createTyping((frame) => socket.send(frame));

  const onMessage = (visitorId: string, message: Message): void => {
    const chat = chats.byVisitor.value.get(visitorId);
    if (chat && message.sequence > chat.lastSequence)
      chats.update([
        {
          ...{ ...chat, lastMessage: message, lastSequence: message.sequence },
          ...(message.from === 'visitor' ? { lastVisitorText: message.text } : {}),
        },
      ]);
    chats.refresh(visitorId);
    if (message.from === 'visitor') typing.stop(visitorId);
    openChat.add(visitorId, message);
  };
  const reload = (): void => {
    chats.reload();
    openChat.catchUp();
  };
  const onFrame = (frame: Frame): void => {
    if (frame.type === 'ready') {
      isLive.value = true;
      reload();
      return;
    }
    const { visitorId } = frame;
    if (frame.type === 'message') onMessage(visitorId, frame.message);
    else if (frame.type === 'typing') typing.onFrame(frame);
    else if (frame.type === 'online') {
      const chat = chats.byVisitor.value.get(visitorId);
      if (chat) chats.update([{ ...chat, online: frame.on }]);
    } else if (frame.type === 'seen' && frame.by === 'visitor') {
      openChat.setSeenByVisitor(visitorId, frame.sequence);
    } else chats.refresh(visitorId);
  };
  const socket = openAgentSocket(botId, {
    onFrame,
    onLost: () => {
      isLive.value = false;
    },
  });
  const polling = setInterval(() => {
    if (!isLive.value && document.visibilityState === 'visible') reload();
  }, pollMs);
  const onVisible = (): void => void openChat.markSeen();
  document.addEventListener('visibilitychange', onVisible);
  const outbox = openOutbox(botId, { onSent: onMessage });

  return {
    ...{ isLive, outbox, reload, drafts: new Map(), chats: chats.byVisitor, typing: typing.byVisitor },
    ...{ list: chats.list, setQuery: chats.setQuery, more: chats.more },
    ...{ conversation: openChat.conversation, earlier: openChat.earlier },
    open(visitorId) {
      typing.reset();
      openChat.open(visitorId);
      if (visitorId !== null) chats.refresh(visitorId);
    },
    reportTyping(isTyping) {
      const visitorId = openChat.conversation.value?.visitorId;
      if (visitorId !== undefined) typing.report(visitorId, isTyping);
    },
    async setState({ visitorId }, state) {
      const params = { path: { botId, visitorId } };
      const changed =
        state === 'closed'
          ? api.POST('/api/v1/bots/{botId}/chats/{visitorId}/close', { params })
          : api.POST('/api/v1/bots/{botId}/chats/{visitorId}/open', { params });
      chats.update([await bodyOf(changed)]);
    },
    async assign({ visitorId }, userId) {
      const params = { path: { botId, visitorId } };
      const changed = api.PUT('/api/v1/bots/{botId}/chats/{visitorId}/assignee', {
        params,
        body: { userId },
      });
      chats.update([await bodyOf(changed)]);
    },
    async setBlocked({ visitorId, contactId }, blocked) {
      if (contactId === null) return;
      const key = crypto.getRandomValues(new Uint32Array(4)).join('-');
      const params = { path: { botId, contactId }, header: { 'Idempotency-Key': key } };
      if (blocked) await api.POST('/api/v1/bots/{botId}/contacts/{contactId}/block', { params });
      else await api.POST('/api/v1/bots/{botId}/contacts/{contactId}/unblock', { params });
      await chats.read(visitorId);
    },
    close() {
      socket.close();
      outbox.close();
      chats.close();
      openChat.close();
      clearInterval(polling);
      document.removeEventListener('visibilitychange', onVisible);
    },
  };
}
