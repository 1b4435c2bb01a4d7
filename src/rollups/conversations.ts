/**
 * Conversations (figures.md, section 6): a contact's messages in order of time, cut where two neighbours lie further apart
 * than the bot's gap.
 *
 * What is kept are runs: such stretches, whether or not they hold an inbound message. A run counts as a conversation once
 * it does. Runs of one contact lie further apart than the gap, so a message can only touch its neighbours, and two sets of
 * runs merge by their ends alone: inside a run no pause is longer than the gap, so whatever lies inside it belongs to it.
 */
import type { PlatformName } from '../platforms/platform.ts';
import type { FigureChange, Tally } from './counters.ts';

export type Run = { firstAt: number; lastAt: number; inbound: number; outbound: number };

/** A run of one message. */
export function runOf(at: number, kind: 'message-in' | 'message-out'): Run {
  const inbound = kind === 'message-in' ? 1 : 0;
  return { firstAt: at, lastAt: at, inbound, outbound: 1 - inbound };
}

/**
 * The runs that come of all these together, in order of time. Exactly `gapMs` apart does not cut.
 * Worked example with a gap of 15 minutes: messages at 10:01, 10:16 and 10:31:01 give two runs, of 900 s and of 0 s.
 */
export function mergeRuns(runs: readonly Run[], gapMs: number): Run[] {
  const merged: Run[] = [];
  for (const run of [...runs].sort((a, b) => a.firstAt - b.firstAt)) {
    const last = merged.at(-1);
    if (last && run.firstAt - last.lastAt <= gapMs) {
      last.lastAt = Math.max(last.lastAt, run.lastAt);
      last.inbound += run.inbound;
      last.outbound += run.outbound;
    } else {
      merged.push({ ...run });
    }
  }
  return merged;
}

/** Counts the run on the day of its first message; a run without an inbound message counts nothing. */
export function tallyRun(tally: Tally, platform: PlatformName, run: Run, sign: 1 | -1): void {
  const change = conversationFigures(run);
  if (change) tally.add(platform, run.firstAt, change, sign);
}

function conversationFigures(run: Run): FigureChange | null {
  if (run.inbound === 0) return null;
  return {
    conversations: 1,
    conversationMessages: run.inbound + run.outbound,
    conversationMs: run.lastAt - run.firstAt,
  };
}
