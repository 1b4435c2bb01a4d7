/** Something that the reader does: whether it is under way, and why it failed. */
import { useState } from 'preact/hooks';
import { ApiError } from './api.ts';

export type Action = {
  isBusy: boolean;
  /** Why the last attempt failed; null: it did not. */
  error: ApiError | null;
  /** Does it, unless it is under way already. Gives whether it was done; throws what is not the API's. */
  run(act: () => Promise<void>): Promise<boolean>;
};

export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  return {
    isBusy,
    error,
    async run(act) {
      if (isBusy) return false;
      setBusy(true);
      setError(null);
      try {
        await act();
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
