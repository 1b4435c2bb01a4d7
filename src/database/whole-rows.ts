/**
 * Works around a defect of postgres.js 3.4.9. After a statement fails while its rows arrive, the client does not reset the row count
 * of that connection. The next result then begins with holes, without an error.
 */
type Statement = { resolve: (result: unknown) => void };

/** Returns the result of a client call. If it is a statement, its rows have no such holes. */
export function withWholeRows<Result>(result: Result): Result {
  if (isStatement(result)) {
    const { resolve } = result;
    result.resolve = (rows) => {
      if (Array.isArray(rows)) removeHoles(rows);
      resolve(rows);
    };
  }
  return result;
}

function isStatement(result: unknown): result is Statement {
  return result instanceof Promise && 'resolve' in result && typeof result.resolve === 'function';
}

function removeHoles(rows: unknown[]): void {
  let holes = 0;
  while (holes < rows.length && !(holes in rows)) holes += 1;
  if (holes > 0) rows.splice(0, holes);
}
