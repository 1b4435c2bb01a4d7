/** A contact as the management API returns it, and its display name. */
import type { Schema } from '../../api/client.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/contacts.ts';

export type Contact = Schema['Contact'];
export type CarriedTag = Contact['tags'][number];

/** Props of each card on a contact's page. `path` names the contact in calls. */
export type ContactCardProps = PageProps & {
  path: { botId: string; contactId: string };
  contact: Contact;
  /** Reloads the contact after a change. */
  onChanged(): void;
};

/** The name on the platform, else the business's own name for the contact; null if there is neither. */
export function nameOrNull({ name, userName }: Pick<Contact, 'name' | 'userName'>): string | null {
  return name ?? userName;
}

/** The contact's display name. */
export function nameOf(contact: Contact): string {
  return nameOrNull(contact) ?? t('unnamed');
}
