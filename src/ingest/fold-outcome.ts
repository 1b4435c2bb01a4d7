/** The outcome of a fold, for metrics and for callers that fold until nothing is pending. */
import type { Refused } from './batch.ts';

/** The outcome of a batch. */
export type FoldOutcome = {
  /** Bots that another fold holds, or whose settings have changed since the batch was read. Nothing of them was folded. */
  busyBots: readonly string[];
  deliveries: number;
  appended: number;
  duplicates: number;
  ignored: number;
  setAside: Refused[];
};

/** An outcome of nothing but `part`. */
export function outcomeOf(part: Partial<FoldOutcome>): FoldOutcome {
  return {
    ...{ busyBots: [], deliveries: 0, appended: 0, duplicates: 0, ignored: 0 },
    ...{ setAside: [], ...part },
  };
}

/** The outcome of several batches. */
export function addOutcomes(outcomes: readonly FoldOutcome[]): FoldOutcome {
  return outcomes.reduce(
    (sum, one) => ({
      busyBots: [...sum.busyBots, ...one.busyBots],
      deliveries: sum.deliveries + one.deliveries,
      appended: sum.appended + one.appended,
      duplicates: sum.duplicates + one.duplicates,
      ignored: sum.ignored + one.ignored,
      setAside: [...sum.setAside, ...one.setAside],
    }),
    outcomeOf({}),
  );
}
