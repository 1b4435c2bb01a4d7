/**
 * Mends what postgres.js 3.4.9 does to the statement behind one that failed while its rows came: on that connection it goes on
 * counting rows where the failed one stopped, so the next result begins with holes, and says nothing of it.
 */
type Statement = { resolve: (result: unknown) => void };

/** What a client was called for; if that is a statement, one that is answered without such holes. */
export function withWholeRows<Called>(called: Called): Called {
  if (isStatement(called)) {
    const { resolve } = called;
    called.resolve = (result) => {
      if (Array.isArray(result)) closeHoles(result);
      resolve(result);
    };
  }
  return called;
}

function isStatement(called: unknown): called is Statement {
  return called instanceof Promise && 'resolve' in called && typeof called.resolve === 'function';
}

function closeHoles(rows: unknown[]): void {
  let holes = 0;
  while (holes < rows.length && !(holes in rows)) holes += 1;
  if (holes > 0) rows.splice(0, holes);
}
