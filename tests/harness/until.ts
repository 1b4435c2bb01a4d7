/** Waits for what other processes, browsers and background work do. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

/** Only a test that fails reaches this limit: it allows for the slowest machine. */
export const waitMsMax = 120_000;
const pauseMs = 10;

/** Resolves when the condition holds; the failure of an endless wait shows `what`, a text or a function that returns one. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string | (() => string) = String(holds),
): Promise<void> {
  const endsAt = performance.now() + waitMsMax;
  while (!(await holds())) {
    assert.ok(performance.now() < endsAt, `not in time: ${typeof what === 'string' ? what : what()}`);
    await pause(pauseMs);
  }
}
