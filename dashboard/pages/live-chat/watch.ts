/**
 * Watches the live chats of a bot on every page: counts unread messages, and announces new ones. A bot without a live chat needs no
 * socket; the next page load looks again.
 */
import { attempt } from '../../api/attempt.ts';
import { api, bodyOf } from '../../api/client.ts';
import { unreadMessages } from '../../state/unread.ts';
import { announce } from './announcement.ts';
import { openAgentSocket } from './socket.ts';

const gatherMs = 300;
const retryMs = 30_000;

/** Watches until `end` is aborted. */
export function watchChats(botId: string, end: AbortSignal): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let counting = Promise.resolve();
  let isWatching = false;
  const countSoon = (pauseMs: number): void => {
    if (end.aborted) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      counting = counting.then(count);
    }, pauseMs);
  };
  const count = (): Promise<void> =>
    attempt(
      async () => {
        const params = { path: { botId } };
        const { unread, connected } = await bodyOf(api.GET('/api/v1/bots/{botId}/chats/unread', { params }));
        if (end.aborted) return;
        unreadMessages.value = unread;
        if (connected && !isWatching) openSocket();
      },
      () => countSoon(retryMs),
    );
  const openSocket = (): void => {
    isWatching = true;
    const socket = openAgentSocket(botId, {
      onFrame(frame) {
        if (frame.type === 'message' && frame.message.from === 'visitor')
          void announce(botId, frame.visitorId, frame.message);
        if (frame.type !== 'typing' && frame.type !== 'online') countSoon(gatherMs);
      },
      onLost: () => undefined,
    });
    end.addEventListener('abort', () => socket.close());
  };
  end.addEventListener('abort', () => clearTimeout(timer));
  countSoon(0);
}
