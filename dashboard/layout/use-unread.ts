/** The number of unread live chat messages on every page. */
import { useEffect } from 'preact/hooks';
import { unreadMessages } from '../state/unread.ts';

/** Keeps the number up to date while the component is shown; null: no bot. The watch loads after the page. */
export function useUnread(botId: string | null): void {
  useEffect(() => {
    if (botId === null) return;
    const end = new AbortController();
    void import('../pages/live-chat/watch.ts').then(({ watchChats }) => {
      if (!end.signal.aborted) watchChats(botId, end.signal);
    });
    return () => {
      end.abort();
      unreadMessages.value = 0;
    };
  }, [botId]);
}
