/**
 * Resources that stay up to date: loaded every few seconds while the page is visible. An unchanged answer costs a 304 and no
 * render. The previous answer stays until the next one is loaded, so nothing flickers.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, type Resource } from './client.ts';

export type Live<Value> = {
  /** The latest answer; null before the first one. While another URL loads, the answer of the previous URL. */
  value: Value | null;
  /** Why the last attempt failed; null if it succeeded. */
  error: ApiError | null;
  /** True while `value` belongs to the previous URL. */
  isBefore: boolean;
  /** Loads now. */
  reload(): void;
};

/** An answer with its entity tag. */
type Cached<Value> = { value: Value; tag: string | null };

const everyMsDefault = 5_000;
const everyMsMax = 60_000;
const cachedMax = 60;

/** Answers by URL, so that a page opens at once the second time. */
const cache = new Map<string, Cached<unknown>>();

/** Empties the cache: the next session may belong to another person. */
export function forgetAnswers(): void {
  cache.clear();
}

/**
 * Keeps a resource up to date; null loads nothing. `everyMs` 0 loads once. After a failure the pauses double, up to a minute,
 * or last as long as the API requests.
 */
export function useLive<Value>(
  resource: Resource<Value> | null,
  { everyMs = everyMsDefault } = {},
): Live<Value> {
  const [state, setState] = useState<State<Value>>({ url: null, cached: null, error: null });
  const reload = useRef<() => void>(() => undefined);
  const url = resource?.url ?? null;

  useEffect(() => {
    if (resource === null) return;
    const { url } = resource;
    const cached = readCache<Value>(url);
    if (cached) setState({ url, cached, error: null });
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let isLoading = false;

    const load = async (): Promise<void> => {
      if (isLoading) return;
      isLoading = true;
      clearTimeout(timer);
      let pauseMs = everyMs;
      try {
        const answer = await loadUnlessCached(resource, readCache<Value>(url), end.signal);
        failures = 0;
        writeCache(url, answer);
        setState((before) =>
          before.url === url && before.cached === answer && before.error === null
            ? before
            : { url, cached: answer, error: null },
        );
      } catch (error) {
        if (end.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        failures += 1;
        pauseMs = pauseAfter(error, everyMs, failures);
        setState((before) => ({ ...before, error }));
      } finally {
        isLoading = false;
      }
      if (everyMs > 0 && !end.signal.aborted) timer = setTimeout(loadIfVisible, pauseMs);
    };
    // A hidden page loads nothing; it loads as soon as it is visible again.
    const loadIfVisible = (): void => {
      if (document.visibilityState === 'visible') void load();
    };
    const onVisible = (): void => {
      if (everyMs > 0) loadIfVisible();
    };

    reload.current = () => void load();
    document.addEventListener('visibilitychange', onVisible);
    void load();
    return () => {
      end.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [url, everyMs]);

  return {
    value: state.cached?.value ?? null,
    error: state.error,
    isBefore: state.cached !== null && state.url !== url,
    reload: () => reload.current(),
  };
}

type State<Value> = { url: string | null; cached: Cached<Value> | null; error: ApiError | null };

/** Loads what has changed since `cached`; returns `cached` itself after a 304. Throws ApiError. */
async function loadUnlessCached<Value>(
  { load }: Resource<Value>,
  cached: Cached<Value> | null,
  signal: AbortSignal,
): Promise<Cached<Value>> {
  const headers: Record<string, string> = cached?.tag ? { 'if-none-match': cached.tag } : {};
  const { data, response } = await load({ headers, signal });
  if (response.status === 304 && cached) return cached;
  // The client throws for every answer without a body, except the 304 above.
  return { value: data as Value, tag: response.headers.get('etag') };
}

function readCache<Value>(url: string): Cached<Value> | null {
  // The URL decides the type of the answer.
  return (cache.get(url) as Cached<Value> | undefined) ?? null;
}

function writeCache(url: string, answer: Cached<unknown>): void {
  cache.delete(url);
  cache.set(url, answer);
  for (const oldest of cache.keys()) {
    if (cache.size <= cachedMax) break;
    cache.delete(oldest);
  }
}

function pauseAfter({ retryAfterSeconds }: ApiError, everyMs: number, failures: number): number {
  if (retryAfterSeconds !== null) return retryAfterSeconds * 1_000;
  return Math.min(everyMs * 2 ** failures, everyMsMax);
}
