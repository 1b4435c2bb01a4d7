/** Lists of the API, page by page: what came first, and more on demand (`nextCursor` → `cursor`). */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call } from './client.ts';

export type Pages<Row> = {
  rows: readonly Row[];
  /** False: this was all. */
  hasMore: boolean;
  isLoading: boolean;
  error: ApiError | null;
  /** Asks for the next page; after a failure for the one that failed. */
  more(): void;
  /** Reads the first page again. */
  reload(): void;
};

type State<Row> = { rows: readonly Row[]; cursor: string | null; isLoading: boolean; error: ApiError | null };

/** The list at a path (with its other parameters, without `cursor`); `rowsOf` takes the entries out of an answer. */
export function usePages<Answer extends { nextCursor: string | null }, Row>(
  path: string | null,
  rowsOf: (answer: Answer) => readonly Row[],
): Pages<Row> {
  const empty: State<Row> = { rows: [], cursor: null, isLoading: path !== null, error: null };
  const [state, setState] = useState<State<Row>>(empty);
  const end = useRef(new AbortController());

  const ask = async (before: readonly Row[], cursor: string | null): Promise<void> => {
    if (path === null) return;
    const { signal } = end.current;
    setState({ rows: before, cursor, isLoading: true, error: null });
    try {
      let answer = await call<Answer>(withCursor(path, cursor), { signal });
      // A call that looks through a bounded part of a list can find nothing in it.
      while (rowsOf(answer).length === 0 && answer.nextCursor !== null)
        answer = await call<Answer>(withCursor(path, answer.nextCursor), { signal });
      if (signal.aborted) return;
      setState({
        rows: [...before, ...rowsOf(answer)],
        cursor: answer.nextCursor,
        isLoading: false,
        error: null,
      });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      setState({ rows: before, cursor, isLoading: false, error });
    }
  };
  const begin = (): void => {
    end.current.abort();
    end.current = new AbortController();
    void ask([], null);
  };

  useEffect(() => {
    setState(empty);
    begin();
    return () => end.current.abort();
  }, [path]);

  return {
    rows: state.rows,
    hasMore: state.cursor !== null,
    isLoading: state.isLoading,
    error: state.error,
    more: () => void ask(state.rows, state.cursor),
    reload: begin,
  };
}

function withCursor(path: string, cursor: string | null): string {
  if (cursor === null) return path;
  return `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
}
