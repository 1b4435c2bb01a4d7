/** The page's address: the bot, the page, and the page's state in the query. */
import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { viewParameters } from '../format/range.ts';

export type Address = {
  path: string;
  query: Readonly<Record<string, string>>;
  /** Changes parameters of the query; null removes one. `push` adds an entry to the history. */
  setQuery(changes: Readonly<Record<string, string | null>>, options?: { push?: boolean }): void;
  /** Navigates to another address. */
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

/** The range, comparison and grouping of a query, for the address of another page. */
export function viewQuery(query: Readonly<Record<string, string>>): string {
  const parameters = viewParameters.flatMap((name) => (query[name] ? [[name, query[name]]] : []));
  return parameters.length === 0 ? '' : `?${new URLSearchParams(parameters)}`;
}

/** The pause in typing after which a filter applies. */
const typingMs = 300;

/** Changes the query to the typed filters after a pause in typing; null removes one. The returned function changes it at once. */
export function useTypedFilters(filters: Readonly<Record<string, string | null>>): () => void {
  const { query, setQuery } = useAddress();
  const isApplied = Object.entries(filters).every(([name, value]) => (query[name] ?? null) === value);
  const apply = (): void => setQuery(filters);
  useEffect(() => {
    if (isApplied) return;
    const timer = setTimeout(apply, typingMs);
    return () => clearTimeout(timer);
  }, [JSON.stringify(filters)]);
  return apply;
}
