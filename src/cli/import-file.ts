/**
 * What the commands that import a file have in common.
 */
import { type Imported, type ImportedLine, type ImportPlan, importLines } from '../imports/import.ts';
import { fileSource, type ImportFormat } from '../imports/source.ts';
import type { CommandContext } from './context.ts';
import { showProgress } from './progress.ts';

const linesMax = 10_000_000;

export type FileOptions = { botId: string; path: string; format?: ImportFormat; createContacts: boolean };

/** Imports a file, all of it or nothing, and shows how far it is. Refusals as `importLines`. */
export async function importFile<Line extends ImportedLine>(
  context: CommandContext,
  { botId, path, format, createContacts }: FileOptions,
  plan: ImportPlan<Line>,
): Promise<Imported> {
  const { clock, random } = context;
  const progress = showProgress(context, 'lines');
  const told = progress.update;
  try {
    return await context.withDatabase((sql) =>
      importLines(
        { sql, clock, random, linesMax, told },
        { botId, source: fileSource(path, format), createContacts },
        plan,
      ),
    );
  } finally {
    progress.stop();
  }
}
