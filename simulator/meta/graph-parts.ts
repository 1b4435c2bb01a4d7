/** The parts of the Graph API's server that its calls share. */
import type { Faults } from '../frame/faults.ts';
import type { CallerParts } from './caller.ts';
import type { MetaControl, MetaSettings } from './control.ts';
import type { GraphFault } from './graph-error.ts';
import type { MetaSimulation } from './simulation.ts';

export type GraphParts = CallerParts & {
  simulation: MetaSimulation;
  settings: MetaSettings;
  control: MetaControl;
  faults: Faults;
  /** The next calls that fail with an error of Graph. */
  graphFaults: { fault: GraphFault; path: string; count: number }[];
  /** The server's own address. */
  address(): string;
};
