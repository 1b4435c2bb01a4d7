/**
 * `shoal import`: contacts and points from files, CSV or NDJSON.
 */
import { Argument } from 'commander';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { contactsPlan } from '../imports/contacts.ts';
import { type ImportPlan, importLines } from '../imports/import.ts';
import { pointsPlan } from '../imports/points.ts';
import type { ImportedLine } from '../imports/preparation.ts';
import { fileSource, type ImportFormat, importFormats } from '../imports/source.ts';
import { createContactsHelp } from '../imports/values.ts';
import type { Answer, ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';

const linesMax = 10_000_000;

export type FileOptions = { botId: string; path: string; format?: ImportFormat; createContacts?: boolean };
type Options = Pick<FileOptions, 'format' | 'createContacts'>;

/** Adds the command. */
export function register(program: ShoalCommand, context: CommandContext): void {
  program
    .addForBot(
      'import',
      'Import contacts (with customer ids and tags) or points from a file, completely or not at all. The same file changes ' +
        'nothing a second time. docs/exports.md has the columns.',
    )
    .addArgument(new Argument('<what>', 'contents of the file').choices(['contacts', 'points']))
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON')
    .choice(
      '--format <format>',
      'format of the file (default: by its name; .ndjson and .jsonl are NDJSON, others CSV)',
      importFormats,
    )
    .option('--create-contacts', `points only: ${createContactsHelp}`)
    .answer((botId: string, what: string, path: string, { format, createContacts }: Options) => {
      const options = { botId, path, ...(format ? { format } : {}) };
      if (what === 'points') {
        return (sql) => importPoints(context, sql, { ...options, createContacts: createContacts ?? false });
      }
      if (createContacts) {
        throw new Refusal('INPUT_INVALID', 'An import of contacts always adds them. Omit --create-contacts.');
      }
      return (sql) => importContacts(context, sql, { ...options, createContacts: true });
    });
}

async function importContacts(context: CommandContext, sql: Sql, options: FileOptions): Promise<Answer> {
  const { botId } = options;
  const { lines, counts } = await importFile(context, sql, options, contactsPlan(botId, context));
  const { added = 0, updated = 0, tagged = 0 } = counts;
  return {
    json: { botId, lines, added, updated, tagged },
    text: `${lines} lines: ${added} contacts added, ${updated} profiles changed, ${tagged} tags assigned.`,
  };
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
