/** The clock of a live simulator: it runs every second. */
import { secondMs } from '../../src/time.ts';

const tickMs = secondMs;

/** Runs every second, without overlap. Returns a function that stops it. */
export function everyTick(run: () => Promise<void>): () => void {
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    void run().finally(() => {
      isBusy = false;
    });
  }, tickMs);
  return () => clearInterval(timer);
}
