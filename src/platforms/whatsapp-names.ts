/**
 * The names that people on WhatsApp gave themselves: `value.contacts[].profile.name`, which comes with their messages. Events
 * carry none, so the names are read apart from them.
 */
import { isObject, readDelivery, readEach } from './delivery.ts';
import { readEntries, readTime } from './meta.ts';
import { readAccount } from './whatsapp.ts';
import { named, readPerson } from './whatsapp-people.ts';

/** The name of the person behind an id, and when the messages that it came with were sent (ms). */
export type ProfileName = { contact: string; name: string; toldAt: number };

const nameLengthMax = 200;

/** The names in a delivery for the channel of `accountId` (null: any); what cannot be read is left out. Never throws. */
export function readProfileNames(body: Uint8Array, accountId: string | null): ProfileName[] {
  const names: ProfileName[] = [];
  readDelivery(body, (root, delivery) => {
    readEntries(root, ['whatsapp_business_account'], delivery, ({ changes }, place) => {
      readEach(changes, `${place}.changes`, delivery, ({ value }) => {
        if (!isObject(value) || (accountId !== null && readAccount(value) !== accountId)) return;
        const times: number[] = [];
        readEach(value.messages, place, delivery, ({ timestamp }) => {
          times.push(readTime(timestamp, 'timestamp'));
        });
        if (times.length === 0) return;
        readEach(value.contacts, place, delivery, (item) => {
          const { contact } = named(readPerson(item, ['wa_id', 'user_id']));
          const name = isObject(item.profile) ? readName(item.profile.name) : null;
          if (contact !== null && name !== null) names.push({ contact, name, toldAt: Math.max(...times) });
        });
      });
    });
  });
  return names;
}

/** At most 200 characters, without control characters and spaces around it; null: there is none. */
function readName(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const name = [
    ...value
      .normalize('NFC')
      .replace(/[\p{Cc}\p{Cs}]/gu, '')
      .trim(),
  ]
    .slice(0, nameLengthMax)
    .join('');
  return name || null;
}
