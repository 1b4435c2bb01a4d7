/** The messages of the open chat, and how far each side has seen them. */
import { type Signal, signal } from '@preact/signals';
import { mergeMessages } from '../../../widget/messages.ts';
import { attempt } from '../../api/attempt.ts';
import { type ApiError, api, bodyOf } from '../../api/client.ts';
import { may } from '../../state/session.ts';
import type { Message } from './chat.ts';

/** The messages of the open chat, ascending. */
export type Conversation = {
  visitorId: string;
  messages: readonly Message[] | null;
  hasEarlier: boolean;
  seenByVisitor: number;
  seenByBusiness: number;
  error: ApiError | null;
};

export type OpenChat = {
  conversation: Signal<Conversation | null>;
  /** Opens a chat; null closes it. */
  open(visitorId: string | null): void;
  /** Loads earlier messages. */
  earlier(): Promise<void>;
  /** Loads the messages after the last loaded one. */
  catchUp(): void;
  /** Adds a message that the socket delivered. */
  add(visitorId: string, message: Message): void;
  /** Reports the messages on the screen as seen. */
  markSeen(): Promise<void>;
  setSeenByVisitor(visitorId: string, sequence: number): void;
  close(): void;
};

const pageSize = 50;

/** `onSeen` runs after the server stored that the business has seen a chat. */
export function openOpenChat(botId: string, { onSeen }: { onSeen(visitorId: string): void }): OpenChat {
  const conversation = signal<Conversation | null>(null);
  let isClosed = false;

  const readMessages = (visitorId: string, range: { after?: number; before?: number }) =>
    bodyOf(
      api.GET('/api/v1/bots/{botId}/chats/{visitorId}/messages', {
        params: { path: { botId, visitorId }, query: { ...range, limit: pageSize } },
      }),
    );
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
          const current = conversation.value;
          if (current?.visitorId !== visitorId || isClosed) return;
          const last = current.messages?.at(-1)?.sequence;
          const page = await readMessages(visitorId, last === undefined ? {} : { after: last });
          const { seenByBusiness, seenByVisitor } = page;
          const isFirst = current.messages === null;
          if (isFirst) change(visitorId, { messages: [], hasEarlier: page.hasMore });
          addMessages(visitorId, page.messages);
          change(visitorId, { seenByBusiness, seenByVisitor, error: null });
          if (isFirst || !page.hasMore) break;
        }
        await markSeen();
      },
      (error) => change(visitorId, { error }),
    );
  };
  const markSeen = async (): Promise<void> => {
    const { value } = conversation;
    const last = value?.messages?.findLast(({ from }) => from === 'visitor')?.sequence ?? 0;
    if (!value || last <= value.seenByBusiness || document.visibilityState !== 'visible' || !may('write'))
      return;
    const { visitorId, seenByBusiness } = value;
    change(visitorId, { seenByBusiness: last });
    await attempt(
      async () => {
        await api.POST('/api/v1/bots/{botId}/chats/{visitorId}/seen', {
          params: { path: { botId, visitorId } },
          body: { sequence: last },
        });
        onSeen(visitorId);
      },
      () => change(visitorId, { seenByBusiness }),
    );
  };

  return {
    ...{ conversation, markSeen },
    open(visitorId) {
      if (visitorId === null) {
        conversation.value = null;
        return;
      }
      const seen = { seenByVisitor: 0, seenByBusiness: 0 };
      conversation.value = { visitorId, messages: null, hasEarlier: false, error: null, ...seen };
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
    catchUp() {
      if (conversation.value) void catchUp(conversation.value.visitorId);
    },
    add(visitorId, message) {
      const { value } = conversation;
      if (value?.visitorId !== visitorId || !value.messages) return;
      const last = value.messages.at(-1)?.sequence ?? 0;
      if (message.sequence > last + 1) void catchUp(visitorId);
      else {
        addMessages(visitorId, [message]);
        void markSeen();
      }
    },
    setSeenByVisitor: (visitorId, sequence) => change(visitorId, { seenByVisitor: sequence }),
    close() {
      isClosed = true;
    },
  };
}
