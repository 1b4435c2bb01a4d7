/** The page's address: which bot, which page, and the query in which a page keeps what it shows. */
import { useLocation } from 'preact-iso';

export type Address = {
  path: string;
  query: Readonly<Record<string, string>>;
  /** Changes parts of the query (null takes one out) without a new entry in the history, unless told to make one. */
  setQuery(changes: Readonly<Record<string, string | null>>, options?: { push?: boolean }): void;
  /** Goes to another address. */
  go(url: string, options?: { replace?: boolean }): void;
};

export function useAddress(): Address {
  const { path, query, route } = useLocation();
  return {
    path,
    query,
    setQuery(changes, { push = false } = {}) {
      const merged = Object.entries({ ...query, ...changes }).flatMap(([name, value]) =>
        value === null ? [] : [[name, value]],
      );
      const text = new URLSearchParams(merged).toString();
      route(text === '' ? path : `${path}?${text}`, !push);
    },
    go: (url, { replace = false } = {}) => route(url, replace),
  };
}

/** The address of a bot's page. */
export function pageAddress(botId: string, page: string): string {
  return `/bots/${encodeURIComponent(botId)}/${page}`;
}
