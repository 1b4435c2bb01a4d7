/**
 * `shoal tag`: tags of contacts, one by one or from a file.
 */
import { Command } from 'commander';
import { findReference, readReference } from '../imports/contact-references.ts';
import type { ImportedLine, ImportPlan } from '../imports/import.ts';
import { createContactsHelp } from '../imports/values.ts';
import { addTags, removeTags, tagName } from '../tags/tags.ts';
import { contactCommand } from './contact-command.ts';
import type { CommandContext } from './context.ts';
import { importFile } from './import-file.ts';

type Options = { createContacts?: boolean; json?: boolean };
type Named = [botId: string, platform: string, contact: string, tag: string];

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const tag = new Command('tag').description('Tags of contacts: add, remove, import.');
  program.addCommand(tag);
  addChange(tag, 'add', 'Give a contact a tag. Nothing changes when it has the tag already.')
    .option('--create-contacts', createContactsHelp)
    .action((...named: [...Named, Options]) => add(context, named));
  addChange(
    tag,
    'remove',
    'Take a tag from a contact. Nothing changes when it does not have the tag.',
  ).action((...named: [...Named, Options]) => remove(context, named));
  addImport(tag, context);
}

function addChange(tag: Command, name: string, description: string): Command {
  return contactCommand(tag, name, description).argument('<tag>', 'name of the tag');
}

async function add(
  { withDatabase, clock, random, out }: CommandContext,
  [botId, platform, contact, tagText, { createContacts, json }]: [...Named, Options],
): Promise<void> {
  const reference = readReference(platform, contact);
  const tag = tagName(tagText);
  const now = clock();
  const answer = await withDatabase((sql) =>
    sql.begin(async (tx) => {
      const contactId = await findReference(tx, botId, reference, createContacts ? { now, random } : null);
      const added = await addTags(tx, { botId, tags: [{ contactId, tag }] }, { now, random });
      return { botId, contactId, tag, changed: added > 0 };
    }),
  );
  const told = answer.changed ? `Tagged ${answer.contactId}.` : `${answer.contactId} has the tag already.`;
  out(json ? JSON.stringify(answer) : told);
}

async function remove(
  { withDatabase, clock, out }: CommandContext,
  [botId, platform, contact, tagText, { json }]: [...Named, Options],
): Promise<void> {
  const reference = readReference(platform, contact);
  const tag = tagName(tagText);
  const now = clock();
  const answer = await withDatabase((sql) =>
    sql.begin(async (tx) => {
      const contactId = await findReference(tx, botId, reference, null);
      const removed = await removeTags(tx, { botId, tags: [{ contactId, tag }] }, { now });
      return { botId, contactId, tag, changed: removed > 0 };
    }),
  );
  const told = answer.changed
    ? `Untagged ${answer.contactId}.`
    : `${answer.contactId} does not have the tag.`;
  out(json ? JSON.stringify(answer) : told);
}

function addImport(tag: Command, context: CommandContext): void {
  tag
    .command('import')
    .description('Give tags from a file with the columns platform, contact, tag: all of it or nothing.')
    .argument('<bot>', 'bot id')
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON (.ndjson, .jsonl)')
    .option('--create-contacts', createContactsHelp)
    .option('--json', 'print one JSON object')
    .action(async (botId: string, path: string, { createContacts = false, json }: Options) => {
      const plan = planOf(botId, context);
      const { lines, counts } = await importFile(context, { botId, path, createContacts }, plan);
      const { added = 0 } = counts;
      const told = `${lines} lines: ${added} tags added, ${lines - added} were there already.`;
      context.out(json ? JSON.stringify({ botId, lines, added }) : told);
    });
}

type TagLine = ImportedLine & { tag: string };

function planOf(botId: string, { random }: CommandContext): ImportPlan<TagLine> {
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
