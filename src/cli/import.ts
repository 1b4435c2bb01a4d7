/**
 * `shoal import`: contacts, points and rewards from files, CSV or NDJSON.
 */
import { Argument } from 'commander';
import type { Sql } from '../database/client.ts';
import { type ImportPlan, importLines } from '../imports/import.ts';
import { type ImportCounts, type ImportKind, importKind, importKinds } from '../imports/kinds.ts';
import type { ImportedLine } from '../imports/preparation.ts';
import { fileSource, type ImportFormat, importFormats } from '../imports/source.ts';
import { createContactsHelp } from '../imports/values.ts';
import type { Answer, ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';

const linesMax = 10_000_000;

export type FileOptions = { botId: string; path: string; format?: ImportFormat; createContacts?: boolean };
type Options = Pick<FileOptions, 'format' | 'createContacts'> & { preview?: boolean };

/** Adds the command. */
export function register(program: ShoalCommand, context: CommandContext): void {
  program
    .addForBot(
      'import',
      'Import contacts (with customer ids and tags), points, the catalogue of gifts, grants or redemptions from a file, ' +
        'completely or not at all. The same file changes nothing a second time. docs/exports.md has the columns.',
    )
    .addArgument(new Argument('<what>', 'contents of the file').choices([...importKinds]))
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON')
    .choice(
      '--format <format>',
      'format of the file (default: by its name; .ndjson and .jsonl are NDJSON, others CSV)',
      importFormats,
    )
    .option('--create-contacts', `points and gifts only: ${createContactsHelp}`)
    .option('--preview', 'check the file and count its changes, but write nothing')
    .answer(
      (botId: string, what: ImportKind, path: string, { preview = false, ...options }: Options) =>
        (sql) =>
          importFileOf(context, sql, what, { botId, path, ...options, isPreview: preview }),
    );
}

/** Imports a file of one kind, with progress. */
export async function importFileOf(
  context: CommandContext,
  sql: Sql,
  what: ImportKind,
  { path, format, isPreview = false, ...options }: FileOptions & { isPreview?: boolean },
): Promise<Answer> {
  const { clock, random } = context;
  const counts = await withProgress(context, 'lines', (progress) =>
    importKind(
      what,
      { sql, clock, random, linesMax, isPreview, progress },
      { ...options, source: fileSource(path, format) },
    ),
  );
  const text = textOf(what, counts);
  return { json: counts, text: isPreview ? `Nothing was written. ${text}` : text };
}

function textOf(
  what: ImportKind,
  { lines, added, updated, tagged, written, repeated }: ImportCounts,
): string {
  switch (what) {
    case 'contacts':
      return `${lines} lines: ${added} contacts added, ${updated} profiles changed, ${tagged} tags assigned.`;
    case 'catalogue':
      return `${lines} lines: ${added} gifts added, ${updated} changed.`;
    default:
      return written === 0 && lines > 0
        ? `All ${lines} lines were imported before. Nothing changed.`
        : `${written} of ${lines} lines imported, ${repeated} were imported before.`;
  }
}

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
