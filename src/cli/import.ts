/**
 * `shoal import`: contacts and points from files, CSV or NDJSON.
 */
import { Argument, type Command, Option } from 'commander';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { contactsPlan } from '../imports/contacts.ts';
import { importFormats } from '../imports/source.ts';
import { createContactsHelp } from '../imports/values.ts';
import type { CommandContext } from './context.ts';
import { type Answer, botCommand } from './data-command.ts';
import { type FileOptions, importFile, importPoints } from './import-file.ts';

type Options = Pick<FileOptions, 'format' | 'createContacts'>;

/** Adds the command. */
export function register(program: Command, context: CommandContext): void {
  botCommand(
    program,
    context,
    'import',
    'Import contacts (with customer ids and tags) or points from a file, completely or not at all. The same file changes ' +
      'nothing a second time. docs/exports.md has the columns.',
  )
    .addArgument(new Argument('<what>', 'contents of the file').choices(['contacts', 'points']))
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON')
    .addOption(
      new Option(
        '--format <format>',
        'format of the file (default: by its name; .ndjson and .jsonl are NDJSON, others CSV)',
      ).choices(importFormats),
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
