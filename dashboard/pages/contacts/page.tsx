/** The contacts: a list to search in, or the story of one of them (`?contact=ID`). */

import type { PageProps } from '../../layout/navigation.ts';
import { useAddress } from '../../state/address.ts';
import './contacts.css';
import { ContactStory } from './details.tsx';
import { ContactList } from './list.tsx';

export default function ContactsPage({ bot }: PageProps) {
  const { contact } = useAddress().query;
  if (contact === undefined) return <ContactList bot={bot} />;
  return <ContactStory key={contact} bot={bot} contactId={contact} />;
}
