/**
 * `shoal contact`: deletes the data of a contact.
 */
import type { Command } from 'commander';
import { findReference, readReference } from '../imports/contact-references.ts';
import { startForgetting } from '../jobs/jobs.ts';
import type { CommandContext } from './context.ts';
import { contactCommand } from './data-command.ts';
import { workOn } from './job.ts';

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const contact = program.command('contact').description('Single contacts: forget.');
  contactCommand(
    contact,
    context,
    'forget',
    'Delete everything that identifies a person. Figures stay. This cannot be undone; docs/management.md has the details.',
  ).answer((botId: string, platform: string, id: string) => {
    const reference = readReference(platform, id);
    return async (sql) => {
      const contactId = await sql.begin((tx) => findReference(tx, botId, reference, null));
      const { state } = await workOn(context, sql, await startForgetting(sql, { botId, contactId }, context));
      return {
        json: { botId, contactId, state },
        text: state === 'done' ? `Forgot ${contactId}.` : `The job that forgets ${contactId} was stopped.`,
      };
    };
  });
}
