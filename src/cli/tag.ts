/**
 * `shoal tag`: tags of contacts, one by one or from a file.
 */
import type { Command } from 'commander';
import { findReference, readReference } from '../imports/contact-references.ts';
import type { ImportedLine, ImportPlan } from '../imports/import.ts';
import { createContactsHelp } from '../imports/values.ts';
import { addTags, removeTags, tagName } from '../tags/tags.ts';
import type { CommandContext } from './context.ts';
import { botCommand, contactCommand } from './data-command.ts';
import { importFile } from './import-file.ts';

type Options = { createContacts?: boolean };

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const tag = program.command('tag').description('Tags of contacts: add, remove, import.');
  contactCommand(tag, context, 'add', 'Add a tag to a contact. Changes nothing if the contact has the tag.')
    .argument('<tag>', 'name of the tag')
    .option('--create-contacts', createContactsHelp)
    .answer((botId: string, platform: string, contact: string, name: string, { createContacts }: Options) => {
      const reference = readReference(platform, contact);
      const tag = tagName(name);
      const creation = { now: context.clock(), random: context.random };
      return (sql) =>
        sql.begin(async (tx) => {
          const contactId = await findReference(tx, botId, reference, createContacts ? creation : null);
          const changed = (await addTags(tx, { botId, tags: [{ contactId, tag }] }, creation)) > 0;
          return {
            json: { botId, contactId, tag, changed },
            text: changed ? `Tagged ${contactId}.` : `${contactId} has the tag already.`,
          };
        });
    });
  contactCommand(
    tag,
    context,
    'remove',
    'Remove a tag from a contact. Changes nothing if the contact does not have the tag.',
  )
    .argument('<tag>', 'name of the tag')
    .answer((botId: string, platform: string, contact: string, name: string) => {
      const reference = readReference(platform, contact);
      const tag = tagName(name);
      const now = context.clock();
      return (sql) =>
        sql.begin(async (tx) => {
          const contactId = await findReference(tx, botId, reference, null);
          const changed = (await removeTags(tx, { botId, tags: [{ contactId, tag }] }, { now })) > 0;
          return {
            json: { botId, contactId, tag, changed },
            text: changed ? `Untagged ${contactId}.` : `${contactId} does not have the tag.`,
          };
        });
    });
  botCommand(
    tag,
    context,
    'import',
    'Add tags from a file with the columns platform, contact, tag, completely or not at all.',
  )
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON (.ndjson, .jsonl)')
    .option('--create-contacts', createContactsHelp)
    .answer((botId: string, path: string, { createContacts = false }: Options) => async (sql) => {
      const options = { botId, path, createContacts };
      const { lines, counts } = await importFile(context, sql, options, importPlan(botId, context));
      const { added = 0 } = counts;
      return {
        json: { botId, lines, added },
        text: `${lines} lines: ${added} tags added, ${lines - added} existed already.`,
      };
    });
}

type TagLine = ImportedLine & { tag: string };

function importPlan(botId: string, { random }: CommandContext): ImportPlan<TagLine> {
  return {
    columns: { required: ['platform', 'contact', 'tag'], optional: [] },
    read: ({ platform = '', contact = '', tag = '' }, line) => ({
      line,
      ...readReference(platform, contact),
      tag: tagName(tag),
    }),
    write: async (tx, tags, { now }) => ({ added: await addTags(tx, { botId, tags }, { now, random }) }),
    transaction: (sql, work) => sql.begin(work),
  };
}
