/**
 * `shoal contact`: what can be done to one contact.
 */
import { Command } from 'commander';
import { findReference, readReference } from '../imports/contact-references.ts';
import { startForgetting } from '../jobs/jobs.ts';
import { contactCommand } from './contact-command.ts';
import type { CommandContext } from './context.ts';
import { workOn } from './job.ts';

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const parent = new Command('contact').description('Contacts one by one: forget.');
  program.addCommand(parent);
  contactCommand(
    parent,
    'forget',
    'Erase everything that names a person. Every figure stays. This cannot be undone. docs/management.md says what goes.',
  ).action(async (botId: string, platform: string, contact: string, { json }: { json?: boolean }) => {
    const reference = readReference(platform, contact);
    const { contactId, state } = await context.withDatabase(async (sql) => {
      const contactId = await sql.begin((tx) => findReference(tx, botId, reference, null));
      const job = await startForgetting(sql, { botId, contactId }, context);
      return { contactId, state: (await workOn(context, sql, job)).state };
    });
    const text = state === 'done' ? `Forgot ${contactId}.` : `The job that forgets ${contactId} was stopped.`;
    context.out(json ? JSON.stringify({ botId, contactId, state }) : text);
  });
}
