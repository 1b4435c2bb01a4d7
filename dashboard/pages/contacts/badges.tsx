/** Badges of contacts: an initial and the follower state. */
import { useState } from 'preact/hooks';
import { Icon } from '../../components/icon.tsx';
import { t } from '../../texts/contacts.ts';
import type { Contact } from './contact.ts';

/** The picture, which the server fetches from the platform; without one, the first letter of the name. */
export function Initial({ name, picture = null }: { name: string | null; picture?: string | null }) {
  const [broken, setBroken] = useState<string | null>(null);
  if (picture !== null && picture !== broken) {
    return <img class="initial" src={picture} alt="" loading="lazy" onError={() => setBroken(picture)} />;
  }
  return (
    <span class="initial" aria-hidden="true">
      {name === null ? <Icon name="contacts" /> : [...name][0]?.toUpperCase()}
    </span>
  );
}

/** The address of a contact's picture on this server; null: the platform reports none. */
export function pictureOf(
  botId: string,
  { contactId, pictureUrl }: Pick<Contact, 'contactId' | 'pictureUrl'>,
): string | null {
  return pictureUrl && `/api/v1/bots/${botId}/contacts/${contactId}/picture`;
}

/** Blocked, follower, or neither. */
export function StateTag({ contact }: { contact: Pick<Contact, 'blocked' | 'followedAt'> }) {
  if (contact.blocked) return <span class="tag tag-bad">{t('blocked')}</span>;
  if (contact.followedAt !== null) return <span class="tag tag-good">{t('follower')}</span>;
  return <span class="tag">{t('noFollower')}</span>;
}
