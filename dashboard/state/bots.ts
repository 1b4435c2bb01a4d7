/** The bots that the session may read, loaded once and shared by all pages. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, api, bodyOf, type Schema } from '../api/client.ts';
import { session } from './session.ts';

export type Bot = Schema['Bot'];

/** Every page of a bot takes these props. */
export type PageProps = { bot: Bot };

export type BotList = { bots: readonly Bot[] | null; error: ApiError | null };

const perPage = 200;
/** 2,000 bots in the switcher; others are reachable by their address. */
const pagesMax = 10;
const emptyList: BotList = { bots: null, error: null };

/** `csrfToken` identifies the session that loaded the list. */
const loadedList = signal<BotList & { csrfToken: string | null }>({ ...emptyList, csrfToken: null });

/** The session's bots; loads them when the session has changed. */
export function useBots(): BotList {
  const csrfToken = csrfTokenOfSession();
  const isCurrent = loadedList.value.csrfToken === csrfToken;
  useEffect(() => {
    if (!isCurrent) void reloadBots();
  }, [isCurrent]);
  return isCurrent ? loadedList.value : emptyList;
}

/** Loads the bots again, after one was created or changed. */
export async function reloadBots(): Promise<void> {
  const csrfToken = csrfTokenOfSession();
  try {
    loadedList.value = { bots: await readBots(), error: null, csrfToken };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    loadedList.value = { bots: null, error, csrfToken };
  }
}

function csrfTokenOfSession(): string | null {
  const state = session.value;
  return state.kind === 'signed-in' ? state.session.csrfToken : null;
}

/** All bots, sorted by name. Throws ApiError. */
async function readBots(): Promise<Bot[]> {
  const bots: Bot[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pagesMax; page += 1) {
    const query = { limit: perPage, ...(cursor === null ? {} : { cursor }) };
    const answer: Schema['Bots'] = await bodyOf(api.GET('/api/v1/bots', { params: { query } }));
    bots.push(...answer.bots);
    cursor = answer.nextCursor;
    if (cursor === null) break;
  }
  return bots.sort((one, other) => one.name.localeCompare(other.name));
}
