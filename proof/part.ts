/**
 * The interface of a part of the proof: kills, faults, soak, fuzz. A part puts Shoal under load for a given time, checks what must
 * hold, and counts what passed. parts.ts lists them, run.ts records their results.
 */
import type { Ends } from '../tests/harness/ends.ts';

export type Part = {
  name: string;
  /** One sentence for the table and the help. */
  summary: string;
  /** Seconds of load: by default, and with `--quick`. A part ends soon after this time. */
  seconds: { full: number; quick: number };
  /**
   * Runs the part. It counts only what has passed its checks. Throws Failure at the first check that fails: what was counted before
   * stays recorded, together with the failure.
   */
  run(proving: Proving): Promise<void>;
};

/** The parameters of a run, and where it reports. */
export type Proving = {
  /** All choices of the run come from the seed. */
  seed: number;
  seconds: number;
  isQuick: boolean;
  /** True once the seconds are over. A part checks it between two steps. */
  isOver(): boolean;
  /** Registers a function that runs when the part ends, in the order of registration. Passed to tests/harness. */
  ends: Ends;
  /** Registers a function that runs after all those of `ends`. */
  atLast(run: () => unknown): void;
  /** Registers a function that describes the state when the part fails. The record of the failure contains its result. */
  onFailure(name: string, describe: () => unknown): void;
  /** Logs progress to stderr. */
  say(text: string): void;
  /** Adds to a cell of the part's table. Counts of several runs are summed. */
  count(row: string, column: string, by?: number): void;
  /** Records a figure of this run, such as a latency. Throws Failure if it is beyond `most`. */
  measure(measure: Measure): void;
  /** Records that this machine cannot run a step. Such a step counts as nothing. */
  notAvailable(what: string, why: string): void;
};

export type Count = { row: string; column: string; count: number };
export type Measure = { what: string; value: number; unit: string; most?: number };
export type Unavailable = { what: string; why: string };

/** A check that failed. `input` is the smallest input known to cause it; the runner prints it with the seed. */
export class Failure extends Error {
  readonly input: unknown;

  constructor(message: string, input: unknown = null) {
    super(message);
    this.input = input;
  }
}
