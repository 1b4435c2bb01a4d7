/**
 * Sends the agent's messages, one at a time per visitor. A message keeps its id through all attempts, so the server stores it once.
 * Network errors and server errors are retried; a refused message waits for the agent.
 */
import { type Signal, signal } from '@preact/signals';
import { ulid } from 'ulid';
import type { Message } from '../../../widget/protocol.ts';
import { reconnectPause } from '../../../widget/retry-delays.ts';
import { ApiError, api, bodyOf } from '../../api/client.ts';
import { showToast } from '../../components/toast.tsx';
import { t } from '../../texts/live-chat.ts';
import type { Unsent } from './chat.ts';

export type Outbox = {
  unsent: Signal<readonly Unsent[]>;
  send(visitorId: string, content: Unsent['content']): void;
  /** Sends a refused message again. */
  retry(messageId: string): void;
  /** Removes a refused message. */
  discard(messageId: string): void;
  /** Stops showing errors in place; running sends continue. */
  close(): void;
};

/** Attempts before the agent must retry: about two minutes with the pauses. */
const triesMax = 10;

export function openOutbox(
  botId: string,
  { onSent }: { onSent(visitorId: string, message: Message): void },
): Outbox {
  const unsent = signal<readonly Unsent[]>([]);
  const busy = new Set<string>();
  let isClosed = false;

  const change = (messageId: string, problem: string | null): void => {
    if (isClosed && problem !== null) showToast(t('notSentWhy', { problem }), 'failed');
    unsent.value = unsent.value.map((one) => (one.messageId === messageId ? { ...one, problem } : one));
  };
  const drop = (messageId: string): void => {
    unsent.value = unsent.value.filter((one) => one.messageId !== messageId);
  };
  const deliver = async (one: Unsent): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const message = await post(botId, one);
        onSent(one.visitorId, message);
        drop(one.messageId);
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const isTemporary = error.status === 0 || error.status === 429 || error.status >= 500;
        if (!isTemporary || tries >= triesMax) {
          change(one.messageId, error.message);
          return;
        }
        const pauseMs = (error.retryAfterSeconds ?? 0) * 1_000 || reconnectPause(tries, Math.random());
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
  /** Sends the waiting messages of a visitor, in order. */
  const sendWaiting = async (visitorId: string): Promise<void> => {
    if (busy.has(visitorId)) return;
    busy.add(visitorId);
    try {
      for (;;) {
        const next = unsent.value.find((one) => one.visitorId === visitorId && one.problem === null);
        if (!next) return;
        await deliver(next);
      }
    } finally {
      busy.delete(visitorId);
    }
  };
  const confirmLeaving = (event: BeforeUnloadEvent): void => {
    if (unsent.value.length > 0) event.preventDefault();
  };
  addEventListener('beforeunload', confirmLeaving);
  return {
    unsent,
    send(visitorId, content) {
      unsent.value = [...unsent.value, { messageId: ulid(), visitorId, content, problem: null }];
      void sendWaiting(visitorId);
    },
    retry(messageId) {
      change(messageId, null);
      const one = unsent.value.find((unsentMessage) => unsentMessage.messageId === messageId);
      if (one) void sendWaiting(one.visitorId);
    },
    discard: drop,
    close() {
      isClosed = true;
      removeEventListener('beforeunload', confirmLeaving);
    },
  };
}

function post(botId: string, { messageId, visitorId, content }: Unsent): Promise<Message> {
  const path = { botId, visitorId };
  if (content.kind === 'image') {
    const { image } = content;
    return bodyOf(
      api.POST('/api/v1/bots/{botId}/chats/{visitorId}/images', {
        params: { path, query: { messageId } },
        headers: { 'content-type': image.type },
        // The generated types describe binary bodies as strings.
        body: image as unknown as string,
        bodySerializer: (body) => body,
      }),
    );
  }
  const { text, quickReplies } = content;
  const body = { messageId, text, ...(quickReplies.length > 0 ? { quickReplies: [...quickReplies] } : {}) };
  return bodyOf(api.POST('/api/v1/bots/{botId}/chats/{visitorId}/messages', { params: { path }, body }));
}
