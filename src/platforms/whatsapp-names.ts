/**
 * Reads the profile names of people on WhatsApp: `value.contacts[].profile.name`, which WhatsApp sends with their messages. Events hold
 * no names, so names are read separately.
 */
import { isObject } from '../json.ts';
import { readDelivery, readEach } from './delivery.ts';
import { readEntries, readTime } from './meta.ts';
import { readAccount } from './whatsapp.ts';
import { named, readPerson } from './whatsapp-people.ts';

/** The name of a person, and when the messages of the same delivery were sent (ms). */
export type ProfileName = { contact: string; name: string; reportedAt: number };

const nameLengthMax = 200;

/** The names in a delivery for the channel of `accountId` (null: any); unreadable parts are left out. Never throws. */
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
          if (contact !== null && name !== null)
            names.push({ contact, name, reportedAt: Math.max(...times) });
        });
      });
    });
  });
  return names;
}

/** At most 200 characters, trimmed, without control characters; null when nothing is left. */
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
