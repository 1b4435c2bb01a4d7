/** A contact as the management API returns it, and its display name. */
import type { PlatformName } from '../../format/platforms.ts';
import type { PageProps } from '../../state/bots.ts';
import { t } from '../../texts/contacts.ts';

export type TagKind = 'manual' | 'personal' | 'automatic';

export type Contact = {
  contactId: string;
  platform: PlatformName;
  platformContactId: string;
  followedAt: string | null;
  blocked: boolean;
  createdAt: string;
  lastInteractAt: string | null;
  customerId: string | null;
  name: string | null;
  remark: string | null;
  userName: string | null;
  userEmail: string | null;
  userPhone: string | null;
  userBirthday: string | null;
  userAddress: string | null;
  tags: readonly CarriedTag[];
  points: number;
};

export type CarriedTag = { tagId: string; kind: TagKind; name: string; since: string; endsAt: string | null };

/** Props of each card on a contact's page. `path` is the contact's path in the API. */
export type ContactCardProps = PageProps & {
  path: string;
  contact: Contact;
  /** Reloads the contact after a change. */
  onChanged(): void;
};

/** The name on the platform, else the business's own name for the contact; null if there is neither. */
export function knownName({ name, userName }: Pick<Contact, 'name' | 'userName'>): string | null {
  return name ?? userName;
}

/** The contact's display name. */
export function nameOf(contact: Contact): string {
  return knownName(contact) ?? t('unnamed');
}
