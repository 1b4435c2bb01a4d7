/** Lists of the API, loaded page by page (`nextCursor` → `cursor`). */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, bodyOf, type Resource } from './client.ts';

export type Pages<Row> = {
  rows: readonly Row[];
  hasMore: boolean;
  isLoading: boolean;
  error: ApiError | null;
  /** Loads the next page; after a failure, the failed page again. */
  more(): void;
  /** Starts again at the first page. */
  reload(): void;
};

type State<Row> = { rows: readonly Row[]; cursor: string | null; isLoading: boolean; error: ApiError | null };

/** Loads a list. `pageAt` returns the resource of the page at a cursor; `rowsOf` takes the rows out of an answer. */
export function usePages<Answer extends { nextCursor: string | null }, Row>(
  pageAt: (cursor: string | undefined) => Resource<Answer>,
  rowsOf: (answer: Answer) => readonly Row[],
): Pages<Row> {
  const empty: State<Row> = { rows: [], cursor: null, isLoading: true, error: null };
  const [state, setState] = useState<State<Row>>(empty);
  const end = useRef(new AbortController());

  const load = async (before: readonly Row[], cursor: string | null): Promise<void> => {
    const { signal } = end.current;
    setState({ rows: before, cursor, isLoading: true, error: null });
    try {
      let answer = await bodyOf(pageAt(cursor ?? undefined).load({ signal }));
      // A call that searches a bounded part of a list can find nothing in it.
      while (rowsOf(answer).length === 0 && answer.nextCursor !== null)
        answer = await bodyOf(pageAt(answer.nextCursor).load({ signal }));
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
  const start = (): void => {
    end.current.abort();
    end.current = new AbortController();
    void load([], null);
  };

  useEffect(() => {
    setState(empty);
    start();
    return () => end.current.abort();
  }, [pageAt(undefined).url]);

  return {
    rows: state.rows,
    hasMore: state.cursor !== null,
    isLoading: state.isLoading,
    error: state.error,
    more: () => void load(state.rows, state.cursor),
    reload: start,
  };
}
