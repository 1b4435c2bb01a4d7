/** Returns a function that runs at its first call. Every call returns the same object or promise. */
export function once<Result extends object>(run: () => Result): () => Result {
  let result: Result | undefined;
  return () => {
    result ??= run();
    return result;
  };
}
