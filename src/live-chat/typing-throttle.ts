/**
 * Limits how often one socket repeats a typing signal.
 */
import { type Clock, secondMs } from '../time.ts';

const typingEveryMs = 2 * secondMs;

/** True if a typing frame may be forwarded: a change always, a repetition only after a pause. */
export function typingThrottle(clock: Clock): (visitorId: string, on: boolean) => boolean {
  let last = { visitorId: '', on: false, at: 0 };
  return (visitorId, on) => {
    const at = clock();
    if (last.visitorId === visitorId && last.on === on && at - last.at < typingEveryMs) return false;
    last = { visitorId, on, at };
    return true;
  };
}
