/**
 * Limits how often one socket repeats that its user is typing.
 */
import { type Clock, secondMs } from '../time.ts';

const typingEveryMs = 2 * secondMs;

/** True when a frame about typing is sent on: changes always are, repetitions only after a pause. */
export function typingThrottle(clock: Clock): (where: string, on: boolean) => boolean {
  let last = { where: '', on: false, at: 0 };
  return (where, on) => {
    const at = clock();
    if (last.where === where && last.on === on && at - last.at < typingEveryMs) return false;
    last = { where, on, at };
    return true;
  };
}
