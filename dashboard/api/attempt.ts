/** Runs a call and handles its ApiError. */
import { ApiError } from './client.ts';

/** Passes an ApiError to `onError`; any other error is a bug and is thrown on. */
export async function attempt(act: () => Promise<void>, onError: (error: ApiError) => void): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    onError(error);
  }
}
