/** A contact as the management API tells it, and what it is called. */
import type { PlatformName } from '../../format/platforms.ts';
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

/** The name on the platform, else the one that the business knows; null: there is none. */
export function knownName({ name, userName }: Pick<Contact, 'name' | 'userName'>): string | null {
  return name ?? userName;
}

/** What a contact is called on the pages. */
export function nameOf(contact: Contact): string {
  return knownName(contact) ?? t('unnamed');
}
