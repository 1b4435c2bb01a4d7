/**
 * What the agent writes, on its way: one after the other for each visitor, with one id from the first attempt to the last, so that
 * a repeat is stored once. What the network or a server that ends lost is sent again by itself; what is refused waits for the agent.
 */
import { type Signal, signal } from '@preact/signals';
import { ulid } from 'ulid';
import { reconnectPause } from '../../../widget/pauses.ts';
import type { Message } from '../../../widget/protocol.ts';
import { ApiError, api, bodyOf } from '../../api/client.ts';
import { showToast } from '../../components/toast.tsx';
import { t } from '../../texts/live-chat.ts';
import type { Unsent } from './chat.ts';

export type Outbox = {
  unsent: Signal<readonly Unsent[]>;
  send(visitorId: string, content: Unsent['content']): void;
  /** Sends one that was refused again. */
  retry(messageId: string): void;
  /** Takes one back that was refused. */
  discard(messageId: string): void;
  /** Nobody looks any more; what is on its way is still sent. */
  close(): void;
};

/** Tries in a row before the agent is asked; with the pauses between them about two minutes. */
const triesMax = 10;

export function openOutbox(
  botId: string,
  { sent }: { sent(visitorId: string, message: Message): void },
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
        sent(one.visitorId, message);
        drop(one.messageId);
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const mayRecover = error.status === 0 || error.status === 429 || error.status >= 500;
        if (!mayRecover || tries >= triesMax) {
          change(one.messageId, error.message);
          return;
        }
        const pauseMs = (error.retryAfterSeconds ?? 0) * 1_000 || reconnectPause(tries, Math.random());
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
  /** Sends all of a visitor's that wait, in order. */
  const pump = async (visitorId: string): Promise<void> => {
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
  const ask = (event: BeforeUnloadEvent): void => {
    if (unsent.value.length > 0) event.preventDefault();
  };
  addEventListener('beforeunload', ask);
  return {
    unsent,
    send(visitorId, content) {
      unsent.value = [...unsent.value, { messageId: ulid(), visitorId, content, problem: null }];
      void pump(visitorId);
    },
    retry(messageId) {
      change(messageId, null);
      const one = unsent.value.find((known) => known.messageId === messageId);
      if (one) void pump(one.visitorId);
    },
    discard: drop,
    close() {
      isClosed = true;
      removeEventListener('beforeunload', ask);
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
