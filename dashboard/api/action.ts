/** A change at the API that the reader asks for: whether it is under way, and why it failed. */
import { useState } from 'preact/hooks';
import { ApiError } from './client.ts';

export type Action<Args extends readonly unknown[] = [act: () => Promise<void>]> = {
  isBusy: boolean;
  /** Why the last attempt failed; null: it did not. */
  error: ApiError | null;
  /** Does it, unless it is under way. Gives true when it was done. */
  run(...args: Args): Promise<boolean>;
  /** Forgets why the last attempt failed. */
  clear(): void;
};

/**
 * `act` throws ApiError; anything else it throws is a fault of the page and goes on. Left out: `run` is given what to do.
 */
export function useAction(): Action;
export function useAction<Args extends readonly unknown[]>(
  act: (...args: Args) => Promise<void>,
): Action<Args>;
export function useAction(
  act: (...args: never[]) => Promise<void> = (given: () => Promise<void>) => given(),
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
 * An Idempotency-Key of its own, made once for a dialog: whatever is sent from it twice is done once. (`crypto.randomUUID` is
 * not there on pages without https.)
 */
export function useKey(): string {
  const [key] = useState(() => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return `dashboard-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  });
  return key;
}
