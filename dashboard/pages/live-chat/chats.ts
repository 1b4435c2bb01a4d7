/** The list of chats: loaded page by page, and refreshed chat by chat when the socket reports a change. */
import { type Signal, signal } from '@preact/signals';
import { attempt } from '../../api/attempt.ts';
import { type ApiError, api, bodyOf } from '../../api/client.ts';
import type { Chat, ChatQuery } from './chat.ts';

export type ChatList = {
  /** Null: not loaded yet. */
  visitorIds: readonly string[] | null;
  cursor: string | null;
  error: ApiError | null;
};

export type Chats = {
  byVisitor: Signal<ReadonlyMap<string, Chat>>;
  list: Signal<ChatList>;
  /** Selects the listed chats. */
  setQuery(query: ChatQuery): void;
  /** Loads the list again from the first page. */
  reload(): void;
  /** Loads the next page. */
  more(): Promise<void>;
  /** Stores newer versions of chats. */
  update(chats: readonly Chat[]): void;
  /** Loads a changed chat again; changes within 250 ms are loaded together. */
  refresh(visitorId: string): void;
  /** Loads a chat now. Throws ApiError. */
  read(visitorId: string): Promise<void>;
  close(): void;
};

const pageSize = 50;
const gatherMs = 250;
/** More changed chats than this are loaded by the list. */
const singlesMax = 4;

export function openChats(botId: string): Chats {
  const byVisitor = signal<ReadonlyMap<string, Chat>>(new Map());
  const list = signal<ChatList>({ visitorIds: null, cursor: null, error: null });
  let query: ChatQuery = { state: 'open', search: '' };
  let latestRequest = 0;
  let isClosed = false;

  const update = (chats: readonly Chat[]): void => {
    byVisitor.value = new Map([...byVisitor.value, ...chats.map((chat) => [chat.visitorId, chat] as const)]);
  };
  const read = async (visitorId: string): Promise<void> => {
    const params = { path: { botId, visitorId } };
    update([await bodyOf(api.GET('/api/v1/bots/{botId}/chats/{visitorId}', { params }))]);
  };
  const loadPage = async (cursor: string | null): Promise<void> => {
    latestRequest += 1;
    const request = latestRequest;
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
        if (request !== latestRequest || isClosed) return;
        update(page.chats);
        const before = cursor === null ? [] : (list.value.visitorIds ?? []);
        const visitorIds = [...new Set([...before, ...page.chats.map(({ visitorId }) => visitorId)])];
        list.value = { visitorIds, cursor: page.nextCursor, error: null };
      },
      (error) => {
        if (request === latestRequest) list.value = { ...list.value, error };
      },
    );
  };

  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const readAndList = async (visitorId: string): Promise<void> => {
    await read(visitorId);
    const { visitorIds } = list.value;
    if (visitorIds && query.search === '' && !visitorIds.includes(visitorId))
      list.value = { ...list.value, visitorIds: [visitorId, ...visitorIds] };
  };
  const readChanged = async (): Promise<void> => {
    const visitorIds = [...changed];
    changed.clear();
    if (visitorIds.length > singlesMax) await loadPage(null);
    else {
      // The next load of the list repairs a failed one.
      await Promise.all(
        visitorIds.map((id) =>
          attempt(
            () => readAndList(id),
            () => undefined,
          ),
        ),
      );
    }
    timer = undefined;
    if (changed.size > 0 && !isClosed) timer = setTimeout(readChanged, gatherMs);
  };

  return {
    ...{ byVisitor, list, update, read },
    setQuery(next) {
      query = next;
      list.value = { visitorIds: null, cursor: null, error: null };
      void loadPage(null);
    },
    reload: () => void loadPage(null),
    more: () => loadPage(list.value.cursor),
    refresh(visitorId) {
      changed.add(visitorId);
      timer ??= setTimeout(readChanged, gatherMs);
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
