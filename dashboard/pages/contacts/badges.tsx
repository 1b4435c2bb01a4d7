/** Badges of contacts: an initial and the follower state. */
import { Icon } from '../../components/icon.tsx';
import { t } from '../../texts/contacts.ts';
import type { Contact } from './contact.ts';

/** The first letter of a name. Profile pictures are on other hosts, which the dashboard never contacts. */
export function Initial({ name }: { name: string | null }) {
  return (
    <span class="initial" aria-hidden="true">
      {name === null ? <Icon name="contacts" /> : [...name][0]?.toUpperCase()}
    </span>
  );
}

/** Blocked, follower, or neither. */
export function StateTag({ contact }: { contact: Pick<Contact, 'blocked' | 'followedAt'> }) {
  if (contact.blocked) return <span class="tag tag-bad">{t('blocked')}</span>;
  if (contact.followedAt !== null) return <span class="tag tag-good">{t('follower')}</span>;
  return <span class="tag">{t('noFollower')}</span>;
}
