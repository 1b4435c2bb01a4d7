/** The parts of the proof, in the order in which they run. */
import { backfills } from './backfills/backfills.ts';
import { faults } from './faults/faults.ts';
import { fuzz } from './fuzz/fuzz.ts';
import { kills } from './kills/kills.ts';
import { nodes } from './nodes/nodes.ts';
import type { Part } from './part.ts';
import { soak } from './soak/soak.ts';

export const parts: readonly Part[] = [kills, fuzz, faults, backfills, soak, nodes];
