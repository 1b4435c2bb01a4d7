/**
 * Checks of properties with fast-check. A fixed seed makes runs comparable, and a new seed tries new values in each run. Both
 * seeds are printed.
 *
 * SHOAL_PROPERTY_SEED runs a property with that seed alone, SHOAL_PROPERTY_RUNS sets the number of runs.
 */
import type { TestContext } from 'node:test';
import fc from 'fast-check';

const fixedSeed = 20_260_315;
const seedsMax = 2 ** 31;
const runsUsual = 100;

type Options<Values> = Omit<fc.Parameters<Values>, 'seed' | 'numRuns'> & {
  /** The number of runs over both seeds. */
  runs?: number;
};

/** Fails with the smallest counterexample. */
export async function holds<Values>(
  t: TestContext,
  property: fc.IRawProperty<Values>,
  { runs = runsUsual, ...parameters }: Options<Values> = {},
): Promise<void> {
  const { SHOAL_PROPERTY_SEED: seed, SHOAL_PROPERTY_RUNS: runsAsked } = process.env;
  const seeds = seed === undefined ? [fixedSeed, Math.floor(Math.random() * seedsMax)] : [Number(seed)];
  t.diagnostic(`SHOAL_PROPERTY_SEED=${seeds.join(' and ')}`);
  const numRuns = Math.ceil(Number(runsAsked ?? runs) / seeds.length);
  for (const each of seeds) await fc.assert(property, { ...parameters, seed: each, numRuns });
}
