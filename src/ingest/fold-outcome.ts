/** The outcome of a fold, for metrics and for callers that fold until nothing is pending. */
import type { PlatformName } from '../platforms/platform.ts';
import type { Refused } from './batch.ts';

/** The outcome of a batch. */
export type FoldOutcome = {
  /** Bots that another fold holds, or whose settings have changed since the batch was read. Nothing of them was folded. */
  busyBots: readonly string[];
  deliveries: number;
  appended: number;
  duplicates: number;
  ignored: number;
  /** The channels of the ignored events of other accounts, one for each event. */
  otherAccounts: readonly { botId: string; platform: PlatformName }[];
  setAside: Refused[];
};

/** An outcome of nothing but `part`. */
export function outcomeOf(part: Partial<FoldOutcome>): FoldOutcome {
  return {
    ...{ busyBots: [], deliveries: 0, appended: 0, duplicates: 0, ignored: 0, otherAccounts: [] },
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
      otherAccounts: [...sum.otherAccounts, ...one.otherAccounts],
      setAside: [...sum.setAside, ...one.setAside],
    }),
    outcomeOf({}),
  );
}
