/**
 * `shoal import`: contacts and points from files, CSV or NDJSON.
 */
import { Argument, type Command, Option } from 'commander';
import { Refusal } from '../errors.ts';
import { contactsPlan } from '../imports/contacts.ts';
import { type ImportFormat, importFormats } from '../imports/source.ts';
import { createContactsHelp } from '../imports/values.ts';
import type { CommandContext } from './context.ts';
import { type FileOptions, importFile } from './import-file.ts';
import { importPoints } from './points-import.ts';

type Options = { format?: ImportFormat; createContacts?: boolean; json?: boolean };

/** Adds the command. */
export function register(program: Command, context: CommandContext): void {
  program
    .command('import')
    .description(
      'Read contacts (with customer ids and tags) or points from a file: all of it or nothing. The same file changes nothing ' +
        'a second time. docs/exports.md has the columns.',
    )
    .argument('<bot>', 'bot id')
    .addArgument(new Argument('<what>', 'what the file holds').choices(['contacts', 'points']))
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON')
    .addOption(
      new Option(
        '--format <format>',
        'format of the file; by its name (.ndjson, .jsonl, else CSV), when left out',
      ).choices(importFormats),
    )
    .option('--create-contacts', `of points: ${createContactsHelp}`)
    .option('--json', 'print one JSON object')
    .action((botId: string, what: string, path: string, { format, createContacts, json }: Options) => {
      const options = {
        botId,
        path,
        ...(format ? { format } : {}),
        createContacts: createContacts ?? false,
        json,
      };
      if (what === 'points') return importPoints(context, options);
      if (createContacts) {
        throw new Refusal(
          'INPUT_INVALID',
          'An import of contacts adds them always; leave out --create-contacts.',
        );
      }
      return importContacts(context, { ...options, createContacts: true });
    });
}

async function importContacts(
  context: CommandContext,
  { json, ...options }: FileOptions & { json: boolean | undefined },
): Promise<void> {
  const { botId } = options;
  const { lines, counts } = await importFile(context, options, contactsPlan(botId, context));
  const { added = 0, updated = 0, tagged = 0 } = counts;
  const told = `${lines} lines: ${added} contacts added, ${updated} profiles written, ${tagged} tags given.`;
  context.out(json ? JSON.stringify({ botId, lines, added, updated, tagged }) : told);
}
