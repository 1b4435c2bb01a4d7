/**
 * Imports of files, as several commands use them.
 */
import type { Sql } from '../database/client.ts';
import { type ImportedLine, type ImportPlan, importLines } from '../imports/import.ts';
import { pointsPlan } from '../imports/points.ts';
import { fileSource, type ImportFormat } from '../imports/source.ts';
import type { CommandContext } from './context.ts';
import type { Answer } from './data-command.ts';
import { withProgress } from './progress.ts';

const linesMax = 10_000_000;

export type FileOptions = { botId: string; path: string; format?: ImportFormat; createContacts?: boolean };

/** Imports a file completely or not at all, with progress. Throws the Refusals of `importLines`. */
export function importFile<Line extends ImportedLine>(
  context: CommandContext,
  sql: Sql,
  { botId, path, format, createContacts = false }: FileOptions,
  plan: ImportPlan<Line>,
): ReturnType<typeof importLines> {
  const { clock, random } = context;
  return withProgress(context, 'lines', (progress) =>
    importLines(
      { sql, clock, random, linesMax, progress },
      { botId, source: fileSource(path, format), createContacts },
      plan,
    ),
  );
}

/** `shoal points import` and `shoal import BOT points`. */
export async function importPoints(context: CommandContext, sql: Sql, options: FileOptions): Promise<Answer> {
  const { botId } = options;
  const { lines, counts } = await importFile(context, sql, options, pointsPlan(botId));
  const written = counts.written ?? 0;
  const repeated = lines - written;
  return {
    json: { botId, lines, written, repeated },
    text:
      written === 0 && lines > 0
        ? `All ${lines} lines were imported before. Nothing changed.`
        : `${written} of ${lines} lines imported, ${repeated} were imported before.`,
  };
}
