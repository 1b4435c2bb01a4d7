/** A change that the user requests from the API: whether it is running, and why it failed. */
import { useState } from 'preact/hooks';
import { ApiError } from './client.ts';

export type Action<Args extends readonly unknown[] = [act: () => Promise<unknown>]> = {
  isBusy: boolean;
  /** Why the last attempt failed; null if it succeeded. */
  error: ApiError | null;
  /** Runs it, unless it is running already. Returns true on success. */
  run(...args: Args): Promise<boolean>;
  /** Clears the error. */
  clear(): void;
};

/** `act` throws ApiError; any other error is a bug and is thrown on. Without `act`, `run` takes the function to run. */
export function useAction(): Action;
export function useAction<Args extends readonly unknown[]>(
  act: (...args: Args) => Promise<unknown>,
): Action<Args>;
export function useAction(
  act: (...args: never[]) => Promise<unknown> = (run: () => Promise<unknown>) => run(),
): Action<never[]> {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  return {
    isBusy,
    error,
    clear: () => setError(null),
    async run(...args) {
      if (isBusy) return false;
      setBusy(true);
      setError(null);
      try {
        await act(...args);
        return true;
      } catch (failure) {
        if (!(failure instanceof ApiError)) throw failure;
        setError(failure);
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}

/**
 * An Idempotency-Key, created once per dialog, so that a repeated submit has one effect. (`crypto.randomUUID` does not exist on
 * pages without https.)
 */
export function useKey(): string {
  const [key] = useState(() => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return `dashboard-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  });
  return key;
}
