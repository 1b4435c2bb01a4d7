/**
 * `shoal tag`: tags of contacts, one by one or from a file.
 */
import { findReference, readReference } from '../imports/contact-references.ts';
import type { ImportPlan } from '../imports/import.ts';
import { byContact, type ContactLine } from '../imports/preparation.ts';
import { createContactsHelp } from '../imports/values.ts';
import { addTags, removeTags, tagName } from '../tags/tags.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { importFile } from './import.ts';

type Options = { createContacts?: boolean };

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const tag = program.add('tag', 'Tags of contacts: add, remove, import.');
  const add = tag
    .addForContact('add', 'Add a tag to a contact. Changes nothing if the contact has the tag.')
    .argument('<tag>', 'name of the tag')
    .option('--create-contacts', createContactsHelp);
  answerChange(add, context, {
    change: addTags,
    texts: (contactId) => [`Tagged ${contactId}.`, `${contactId} has the tag already.`],
  });
  const remove = tag
    .addForContact(
      'remove',
      'Remove a tag from a contact. Changes nothing if the contact does not have the tag.',
    )
    .argument('<tag>', 'name of the tag');
  answerChange(remove, context, {
    change: removeTags,
    texts: (contactId) => [`Untagged ${contactId}.`, `${contactId} does not have the tag.`],
  });
  tag
    .addForBot(
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

/** `texts`: the answers when the tag changed, and when it did not. */
function answerChange(
  command: ShoalCommand,
  { clock, random }: CommandContext,
  { change, texts }: { change: typeof addTags; texts: (contactId: string) => [string, string] },
): void {
  command.answer(
    (botId: string, platform: string, contact: string, name: string, { createContacts }: Options) => {
      const reference = readReference(platform, contact);
      const tag = tagName(name);
      const creation = { now: clock(), random };
      return (sql) =>
        sql.begin(async (tx) => {
          const contactId = await findReference(tx, botId, reference, createContacts ? creation : null);
          const changed = (await change(tx, { botId, tags: [{ contactId, tag }] }, creation)) > 0;
          const [whenChanged, whenNot] = texts(contactId);
          return { json: { botId, contactId, tag, changed }, text: changed ? whenChanged : whenNot };
        });
    },
  );
}

type TagLine = ContactLine & { tag: string };

function importPlan(botId: string, { random }: CommandContext): ImportPlan<TagLine> {
  return {
    columns: { required: ['platform', 'contact', 'tag'], optional: [] },
    preparation: byContact(),
    read: ({ platform = '', contact = '', tag = '' }, line) => ({
      line,
      ...readReference(platform, contact),
      tag: tagName(tag),
    }),
    write: async (tx, tags, { now }) => ({ added: await addTags(tx, { botId, tags }, { now, random }) }),
  };
}
