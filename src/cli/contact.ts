/**
 * `shoal contact`: deletes the data of a contact.
 */
import { findReference, readReference } from '../imports/contact-references.ts';
import { startForgetting } from '../jobs/jobs.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { workOn } from './job.ts';

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const contact = program.add('contact', 'Single contacts: forget.');
  contact
    .addForContact(
      'forget',
      'Delete everything that identifies a person. Figures stay. This cannot be undone; docs/management.md has the details.',
    )
    .answer((botId: string, platform: string, id: string) => {
      const reference = readReference(platform, id);
      return async (sql) => {
        const contactId = await sql.begin((tx) => findReference(tx, botId, reference, null));
        const { state } = await workOn(
          context,
          sql,
          await startForgetting(sql, { botId, contactId }, context),
        );
        return {
          json: { botId, contactId, state },
          text: state === 'done' ? `Forgot ${contactId}.` : `The job that forgets ${contactId} was stopped.`,
        };
      };
    });
}
