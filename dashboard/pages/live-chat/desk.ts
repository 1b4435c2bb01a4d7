/**
 * What an agent has before them: the list of chats and the one that is open, kept up to date by the socket, and by asking while
 * there is none. The API stays the source of every number: news only tell which chat to ask for anew.
 */
import { type Signal, signal } from '@preact/signals';
import { mergeMessages } from '../../../widget/messages.ts';
import { ApiError, api, bodyOf } from '../../api/client.ts';
import { may } from '../../state/session.ts';
import type { Chat, Frame, Message, Typing } from './chat.ts';
import { type Outbox, openOutbox } from './outbox.ts';
import { openAgentSocket } from './socket.ts';

export type ChatQuery = { state: 'open' | 'closed' | 'all'; search: string };

export type ChatList = {
  /** Null: not loaded yet. */
  visitorIds: readonly string[] | null;
  cursor: string | null;
  error: ApiError | null;
};

/** The messages of the open chat, ascending. */
export type Conversation = {
  visitorId: string;
  messages: readonly Message[] | null;
  hasEarlier: boolean;
  seenByVisitor: number;
  seenByBusiness: number;
  error: ApiError | null;
};

export type Draft = { text: string; quickReplies: readonly string[] };

export type Desk = {
  chats: Signal<ReadonlyMap<string, Chat>>;
  list: Signal<ChatList>;
  conversation: Signal<Conversation | null>;
  /** By visitor. */
  typing: Signal<ReadonlyMap<string, Typing>>;
  /** False while there is no socket. */
  isLive: Signal<boolean>;
  outbox: Outbox;
  /** What was begun and not sent, by visitor. */
  drafts: Map<string, Draft>;
  /** Which chats are listed. */
  ask(query: ChatQuery): void;
  more(): Promise<void>;
  /** Opens a chat; null: none. */
  open(visitorId: string | null): void;
  earlier(): Promise<void>;
  /** Tells the visitor that the agent is typing, or no longer. */
  type(isTyping: boolean): void;
  /** Closes or opens a chat, blocks or unblocks its contact. Throws ApiError. */
  setState(chat: Chat, state: 'open' | 'closed'): Promise<void>;
  setBlocked(chat: Chat, blocked: boolean): Promise<void>;
  reload(): void;
  close(): void;
};

const pageSize = 50;
const gatherMs = 250;
/** More changed at once than this are asked for by the list. */
const singlesMax = 4;
const pollMs = 5_000;
const typingShownMs = 10_000;
const typingToldMs = 3_000;

export function openDesk(botId: string): Desk {
  const chats = signal<ReadonlyMap<string, Chat>>(new Map());
  const list = signal<ChatList>({ visitorIds: null, cursor: null, error: null });
  const conversation = signal<Conversation | null>(null);
  const typing = signal<ReadonlyMap<string, Typing>>(new Map());
  const isLive = signal(true);
  const readChat = (visitorId: string): Promise<Chat> =>
    bodyOf(api.GET('/api/v1/bots/{botId}/chats/{visitorId}', { params: { path: { botId, visitorId } } }));
  const readMessages = (visitorId: string, range: { after?: number; before?: number }) =>
    bodyOf(
      api.GET('/api/v1/bots/{botId}/chats/{visitorId}/messages', {
        params: { path: { botId, visitorId }, query: { ...range, limit: pageSize } },
      }),
    );
  let query: ChatQuery = { state: 'open', search: '' };
  let asked = 0;
  let isOver = false;

  const keep = (fresh: readonly Chat[]): void => {
    chats.value = new Map([...chats.value, ...fresh.map((chat) => [chat.visitorId, chat] as const)]);
  };

  // The list.
  const readList = async (cursor: string | null): Promise<void> => {
    asked += 1;
    const mine = asked;
    const { state, search } = query;
    const params = {
      path: { botId },
      query: {
        ...{ state, limit: pageSize },
        ...(search === '' ? {} : { search }),
        ...(cursor === null ? {} : { cursor }),
      },
    };
    await attempt(
      async () => {
        const page = await bodyOf(api.GET('/api/v1/bots/{botId}/chats', { params }));
        if (mine !== asked || isOver) return;
        keep(page.chats);
        const before = cursor === null ? [] : (list.value.visitorIds ?? []);
        const visitorIds = [...new Set([...before, ...page.chats.map(({ visitorId }) => visitorId)])];
        list.value = { visitorIds, cursor: page.nextCursor, error: null };
      },
      (error) => {
        if (mine === asked) list.value = { ...list.value, error };
      },
    );
  };

  // Chats of which something is new, asked for together.
  const changed = new Set<string>();
  let gathering: ReturnType<typeof setTimeout> | undefined;
  const note = (visitorId: string): void => {
    changed.add(visitorId);
    gathering ??= setTimeout(readChanged, gatherMs);
  };
  const readChanged = async (): Promise<void> => {
    const visitorIds = [...changed];
    changed.clear();
    if (visitorIds.length > singlesMax) await readList(null);
    else {
      await Promise.all(
        visitorIds.map((visitorId) =>
          attempt(
            async () => {
              keep([await readChat(visitorId)]);
              const { visitorIds: known } = list.value;
              if (known && query.search === '' && !known.includes(visitorId))
                list.value = { ...list.value, visitorIds: [visitorId, ...known] };
            },
            // The next look at the list tells.
            () => undefined,
          ),
        ),
      );
    }
    gathering = undefined;
    if (changed.size > 0 && !isOver) gathering = setTimeout(readChanged, gatherMs);
  };

  // The open chat.
  const change = (visitorId: string, changes: Partial<Conversation>): void => {
    const { value } = conversation;
    if (value?.visitorId === visitorId) conversation.value = { ...value, ...changes };
  };
  const addMessages = (visitorId: string, messages: readonly Message[]): void => {
    const { value } = conversation;
    if (value?.visitorId === visitorId && value.messages)
      change(visitorId, { messages: mergeMessages(value.messages, messages) });
  };
  const catchUp = async (visitorId: string): Promise<void> => {
    await attempt(
      async () => {
        for (;;) {
          const known = conversation.value;
          if (known?.visitorId !== visitorId || isOver) return;
          const last = known.messages?.at(-1)?.sequence;
          const page = await readMessages(visitorId, last === undefined ? {} : { after: last });
          const { seenByBusiness, seenByVisitor } = page;
          const isFirst = known.messages === null;
          if (isFirst) change(visitorId, { messages: [], hasEarlier: page.hasMore });
          addMessages(visitorId, page.messages);
          change(visitorId, { seenByBusiness, seenByVisitor, error: null });
          if (isFirst || !page.hasMore) break;
        }
        await see();
      },
      (error) => change(visitorId, { error }),
    );
  };
  /** Says that what is on the agent's screen was seen. */
  const see = async (): Promise<void> => {
    const { value } = conversation;
    const last = value?.messages?.findLast(({ from }) => from === 'visitor')?.sequence ?? 0;
    if (!value || last <= value.seenByBusiness || document.visibilityState !== 'visible' || !may('write'))
      return;
    change(value.visitorId, { seenByBusiness: last });
    await attempt(
      async () => {
        await api.POST('/api/v1/bots/{botId}/chats/{visitorId}/seen', {
          params: { path: { botId, visitorId: value.visitorId } },
          body: { sequence: last },
        });
        note(value.visitorId);
      },
      () => change(value.visitorId, { seenByBusiness: value.seenByBusiness }),
    );
  };

  // News.
  const heardMessage = (visitorId: string, message: Message): void => {
    const chat = chats.value.get(visitorId);
    if (chat && message.sequence > chat.lastSequence)
      keep([{ ...chat, lastMessage: message, lastSequence: message.sequence }]);
    note(visitorId);
    if (message.from === 'visitor') stopTyping(visitorId);
    const { value } = conversation;
    if (value?.visitorId !== visitorId || !value.messages) return;
    const last = value.messages.at(-1)?.sequence ?? 0;
    if (message.sequence > last + 1) void catchUp(visitorId);
    else {
      addMessages(visitorId, [message]);
      void see();
    }
  };
  const stopTyping = (visitorId: string): void => {
    if (!typing.value.has(visitorId)) return;
    typing.value = new Map([...typing.value].filter(([id]) => id !== visitorId));
  };
  const heardTyping = (frame: Extract<Frame, { type: 'typing' }>): void => {
    const { visitorId, on, from, agentName } = frame;
    if (!on) {
      stopTyping(visitorId);
      return;
    }
    const until = Date.now() + typingShownMs;
    const who = from === 'visitor' ? '' : (agentName ?? '');
    typing.value = new Map([...typing.value, [visitorId, { who, until }]]);
    setTimeout(() => {
      if ((typing.value.get(visitorId)?.until ?? 0) <= Date.now()) stopTyping(visitorId);
    }, typingShownMs + 1);
  };
  const reload = (): void => {
    void readList(null);
    if (conversation.value) void catchUp(conversation.value.visitorId);
  };
  const heard = (frame: Frame): void => {
    if (frame.type === 'ready') {
      isLive.value = true;
      reload();
      return;
    }
    const { visitorId } = frame;
    if (frame.type === 'message') heardMessage(visitorId, frame.message);
    else if (frame.type === 'typing') heardTyping(frame);
    else if (frame.type === 'online') {
      const chat = chats.value.get(visitorId);
      if (chat) keep([{ ...chat, online: frame.on }]);
    } else if (frame.type === 'seen' && frame.by === 'visitor') {
      change(visitorId, { seenByVisitor: frame.sequence });
    } else note(visitorId);
  };
  const socket = openAgentSocket(botId, {
    heard,
    lost: () => {
      isLive.value = false;
    },
  });
  const polling = setInterval(() => {
    if (!isLive.value && document.visibilityState === 'visible') reload();
  }, pollMs);
  const onVisible = (): void => void see();
  document.addEventListener('visibilitychange', onVisible);
  const outbox = openOutbox(botId, { sent: heardMessage });
  let toldTypingAt = 0;

  return {
    ...{ chats, list, conversation, typing, isLive, outbox, reload, drafts: new Map() },
    ask(wanted) {
      query = wanted;
      list.value = { visitorIds: null, cursor: null, error: null };
      void readList(null);
    },
    more: () => readList(list.value.cursor),
    open(visitorId) {
      toldTypingAt = 0;
      if (visitorId === null) {
        conversation.value = null;
        return;
      }
      const seen = { seenByVisitor: 0, seenByBusiness: 0 };
      conversation.value = { visitorId, messages: null, hasEarlier: false, error: null, ...seen };
      note(visitorId);
      void catchUp(visitorId);
    },
    async earlier() {
      const { value } = conversation;
      const first = value?.messages?.[0]?.sequence;
      if (!value || first === undefined) return;
      await attempt(
        async () => {
          const page = await readMessages(value.visitorId, { before: first });
          addMessages(value.visitorId, page.messages);
          change(value.visitorId, { hasEarlier: page.hasMore });
        },
        (error) => change(value.visitorId, { error }),
      );
    },
    type(isTyping) {
      const { value } = conversation;
      const now = Date.now();
      if (!value || (isTyping ? now - toldTypingAt < typingToldMs : toldTypingAt === 0)) return;
      toldTypingAt = isTyping ? now : 0;
      socket.send({ type: 'typing', visitorId: value.visitorId, on: isTyping });
    },
    async setState({ visitorId }, state) {
      const params = { path: { botId, visitorId } };
      const changed =
        state === 'closed'
          ? api.POST('/api/v1/bots/{botId}/chats/{visitorId}/close', { params })
          : api.POST('/api/v1/bots/{botId}/chats/{visitorId}/open', { params });
      keep([await bodyOf(changed)]);
    },
    async setBlocked({ visitorId, contactId }, blocked) {
      if (contactId === null) return;
      const key = crypto.getRandomValues(new Uint32Array(4)).join('-');
      const params = { path: { botId, contactId }, header: { 'Idempotency-Key': key } };
      if (blocked) await api.POST('/api/v1/bots/{botId}/contacts/{contactId}/block', { params });
      else await api.POST('/api/v1/bots/{botId}/contacts/{contactId}/unblock', { params });
      keep([await readChat(visitorId)]);
    },
    close() {
      isOver = true;
      socket.close();
      outbox.close();
      clearInterval(polling);
      clearTimeout(gathering);
      document.removeEventListener('visibilitychange', onVisible);
    },
  };
}

async function attempt(act: () => Promise<void>, failed: (error: ApiError) => void): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failed(error);
  }
}
