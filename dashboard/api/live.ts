/**
 * Answers of the API that keep themselves up to date: asked again every few seconds while the page is visible. What has not
 * changed costs a 304 and draws nothing; what was shown stays until its successor is there, so nothing flickers.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, callUnlessHeld, type Held } from './client.ts';

export type Live<Value> = {
  /** The latest answer; null: there is none yet. While another path is asked for the first time, it is that of the path before. */
  value: Value | null;
  /** Why the last attempt failed; null: it did not. */
  error: ApiError | null;
  /** True while `value` belongs to another path than the one asked for. */
  isBefore: boolean;
  /** Asks at once. */
  reload(): void;
};

const everyMsDefault = 5_000;
const everyMsMax = 60_000;
const heldMax = 60;

/** Answers by path, so that a page seen before is there at once. */
const held = new Map<string, Held<unknown>>();

/** Forgets all answers: another person may sign in on this page. */
export function forgetAnswers(): void {
  held.clear();
}

/**
 * Keeps the answer of a path of the API up to date; null asks for nothing. `everyMs` 0 asks once. After a failure the pauses
 * double, up to a minute, or are as long as the API asks for.
 */
export function useLive<Value>(path: string | null, { everyMs = everyMsDefault } = {}): Live<Value> {
  const [state, setState] = useState<State<Value>>({ path: null, held: null, error: null });
  const reload = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === null) return;
    const known = read<Value>(path);
    if (known) setState({ path, held: known, error: null });
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let isAsking = false;

    const ask = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      clearTimeout(timer);
      let pauseMs = everyMs;
      try {
        const answer = await callUnlessHeld<Value>(path, read<Value>(path), end.signal);
        failures = 0;
        keep(path, answer);
        setState((before) =>
          before.path === path && before.held === answer && before.error === null
            ? before
            : { path, held: answer, error: null },
        );
      } catch (error) {
        if (end.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        failures += 1;
        pauseMs = pauseAfter(error, everyMs, failures);
        setState((before) => ({ ...before, error }));
      } finally {
        isAsking = false;
      }
      if (everyMs > 0 && !end.signal.aborted) timer = setTimeout(askIfVisible, pauseMs);
    };
    // A page that nobody sees asks for nothing; it asks as soon as it is seen again.
    const askIfVisible = (): void => {
      if (document.visibilityState === 'visible') void ask();
    };
    const onVisible = (): void => {
      if (everyMs > 0) askIfVisible();
    };

    reload.current = () => void ask();
    document.addEventListener('visibilitychange', onVisible);
    void ask();
    return () => {
      end.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [path, everyMs]);

  return {
    value: state.held?.value ?? null,
    error: state.error,
    isBefore: state.held !== null && state.path !== path,
    reload: () => reload.current(),
  };
}

type State<Value> = { path: string | null; held: Held<Value> | null; error: ApiError | null };

function read<Value>(path: string): Held<Value> | null {
  // What stands under a path is what was read from it, with the same type.
  return (held.get(path) as Held<Value> | undefined) ?? null;
}

function keep(path: string, answer: Held<unknown>): void {
  held.delete(path);
  held.set(path, answer);
  for (const oldest of held.keys()) {
    if (held.size <= heldMax) break;
    held.delete(oldest);
  }
}

function pauseAfter({ retryAfterSeconds }: ApiError, everyMs: number, failures: number): number {
  if (retryAfterSeconds !== null) return retryAfterSeconds * 1_000;
  return Math.min(everyMs * 2 ** failures, everyMsMax);
}
