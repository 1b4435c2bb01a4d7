/**
 * Identifies people on WhatsApp (manual: "Business-scoped user IDs"): a person has a telephone number, a user id, or both.
 *
 * Either may be missing or empty in any item, and `value.contacts` may hold the other one. If there is a number, it is the contact and
 * the user id its alias, so that the two become one person as soon as they appear together.
 */
import type { JsonObject } from '../json.ts';
import { readEach } from './delivery.ts';
import { readMetaId } from './meta.ts';
import type { ParsedDelivery, ParsedEvent } from './reader.ts';

export type Person = { number: string | null; userId: string | null };
/** Adds the other id of a person, if the delivery holds it. */
export type People = (person: Person) => Person;
export type Named = Pick<ParsedEvent, 'contact' | 'contactAlias'>;

export const noPerson: Named = { contact: null, contactAlias: null };

const changedIdTypes: ReadonlySet<unknown> = new Set(['user_changed_number', 'user_changed_user_id']);

/**
 * The person with the ids in the item's two members. For people with a username, WhatsApp also writes the user id into the member of
 * the number.
 */
export function readPerson(item: JsonObject, names: readonly [number: string, userId: string]): Person {
  const [text, userId] = names.map((name) => readMetaId(item[name], name));
  const number = text ? digitsOf(text) : null;
  return { number, userId: userId ?? (number === null ? (text ?? null) : null) };
}

/** The digits of a telephone number, which are its identity; null when the text is no number. */
function digitsOf(text: string): string | null {
  const digits = text.replace(/[+\s()\p{Pd}]/gu, '');
  return /^\d+$/.test(digits) ? digits : null;
}

/** The stored spelling of an id; for a telephone number, its digits. */
export function normalId(id: string): string {
  return digitsOf(id) ?? id;
}

/** The people in `value.contacts`; `place` is the name of the value in problems. */
export function readPeople(value: JsonObject, place: string, delivery: ParsedDelivery): People {
  const byId = new Map<string | null, Person>();
  if (value.contacts !== undefined) {
    readEach(value.contacts, `${place}.contacts`, delivery, (contact) => {
      const person = readPerson(contact, ['wa_id', 'user_id']);
      byId.set(person.number, person).set(person.userId, person);
    });
    byId.delete(null);
  }
  return ({ number, userId }) => {
    const person = byId.get(number) ?? byId.get(userId);
    return { number: number ?? person?.number ?? null, userId: userId ?? person?.userId ?? null };
  };
}

/** The person's ids as members of an event. */
export function named({ number, userId }: Person): Named {
  if (number === null || number === userId) return { contact: userId, contactAlias: null };
  return { contact: number, contactAlias: userId };
}

/** The sender of a system message; with the old and the new id when the message reports a change. */
export function changedIds(sender: Person, system: JsonObject): Named {
  if (!changedIdTypes.has(system.type)) return named(sender);
  const { number, userId } = readPerson(system, ['wa_id', 'user_id']);
  const old = named(sender);
  const contact = old.contact ?? number ?? userId;
  const changed = [number, userId].find((id) => id !== null && id !== contact);
  return { contact, contactAlias: changed ?? old.contactAlias };
}
