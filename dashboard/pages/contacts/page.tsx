/** The contacts: a list to search in, or the story of one of them (`?contact=ID`). */
import { useAddress } from '../../address.ts';
import type { PageProps } from '../../pages.ts';
import './contacts.css';
import { ContactList } from './list.tsx';
import { ContactStory } from './story.tsx';

export default function ContactsPage({ bot }: PageProps) {
  const { contact } = useAddress().query;
  if (contact === undefined) return <ContactList bot={bot} />;
  return <ContactStory key={contact} bot={bot} contactId={contact} />;
}
