/**
 * The background work of moving in: continues imports and makes the daily comparisons, of a few bots at a time, so that a slow MantaGo
 * does not hold up the others.
 */
import type { Logger } from 'pino';
import { Stopped } from '../collector/source.ts';
import { DueWork } from '../database/due-work.ts';
import { secondMs } from '../time.ts';
import type { CompareParts } from './comparison.ts';
import { type ImportParts, nextImports, stepImport } from './steps.ts';
import { compareDue, nextComparisons } from './watches.ts';

type Logging = { log: Pick<Logger, 'error'> };

const atOnce = 4;
/** Some are worked on by other processes. */
const looksMax = 4 * atOnce;
const importLookMs = 2 * secondMs;
const comparisonLookMs = 10 * secondMs;

export function startImportWork(parts: ImportParts & Logging): DueWork<string> {
  const { sql, clock, log } = parts;
  return new DueWork({
    ...{ name: 'imports from MantaGo', atOnce, lookMs: importLookMs, clock, log },
    look: async () => (await nextImports(sql, { limit: looksMax })).map(toDue),
    work: (botId) => untilStopped(stepImport(parts, botId)),
  });
}

export function startComparisonWork(parts: CompareParts & Logging): DueWork<string> {
  const { sql, clock, log } = parts;
  return new DueWork({
    ...{ name: 'comparisons with MantaGo', atOnce, lookMs: comparisonLookMs, clock, log },
    look: async () => (await nextComparisons(sql, { limit: looksMax })).map(toDue),
    work: (botId) => untilStopped(compareDue(parts, botId)),
  });
}

function toDue({ botId, nextAt }: { botId: string; nextAt: Date | null }) {
  return { item: botId, key: botId, dueAt: nextAt?.getTime() ?? 0 };
}

/** Work whose call was cancelled at the end of the server has written nothing. */
async function untilStopped(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Stopped) return false;
    throw error;
  }
}
