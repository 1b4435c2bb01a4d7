/** The interface of one fault. The load runs before, during and after it. */
import type { SeededRandom } from '../../simulator/events/random.ts';
import type { Proving } from '../part.ts';
import type { Load } from '../world/load.ts';
import type { World } from '../world/world.ts';

export type Setting = {
  world: World;
  load: Load;
  proving: Proving;
  random: SeededRandom;
  /** Adds to a column of the fault's row, which counts when the checks have passed. */
  count(column: string, by?: number): void;
  /** How long the fault lasts. */
  seconds: number;
};

export type Fault = {
  name: string;
  seconds: { full: number; quick: number };
  /** Causes the fault, waits, and ends it. Throws Failure if something that must go on does not. */
  run(setting: Setting): Promise<void>;
};
