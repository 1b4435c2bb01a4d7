/** The contacts: a list with search, or the details of one (`?contact=ID`). */

import { useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import './contacts.css';
import { ContactDetails } from './details.tsx';
import { ContactList } from './list.tsx';

export default function ContactsPage({ bot }: PageProps) {
  const { contact } = useAddress().query;
  if (contact === undefined) return <ContactList bot={bot} />;
  return <ContactDetails key={contact} bot={bot} contactId={contact} />;
}
