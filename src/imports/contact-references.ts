/**
 * Contacts as a person names them in commands and import files: by the id on the platform, or by the encoded client id.
 */
import { findBot, lockBot } from '../bots/bots.ts';
import { createContacts } from '../contacts/contacts.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { contactIdProblem, isRoundedNumber, normalContactId } from '../platforms/contact-ids.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { readPlatform } from './values.ts';

export type ContactReference = { platform: PlatformName; contact: string };

/** What it takes to add contacts: `now` in ms, and chance for their ids. */
export type Creation = { now: number; random: Random };

const referenceLengthMax = 200;

/** The contact as typed, to be looked up. Throws INPUT_INVALID for an unknown platform, or an id that no contact can have. */
export function readReference(platform: string, contact: string): ContactReference {
  if (contact.length < 1 || contact.length > referenceLengthMax || /[\p{Cc}\p{Cs}]/u.test(contact)) {
    throw new Refusal(
      'INPUT_INVALID',
      `A contact is named by 1 to ${referenceLengthMax} characters, not ${JSON.stringify(contact.slice(0, referenceLengthMax + 1))}.`,
    );
  }
  if (isRoundedNumber(contact)) {
    throw new Refusal(
      'INPUT_INVALID',
      `${JSON.stringify(contact)} is a number that a spreadsheet has rounded, so its digits are lost. ` +
        'Format the column as text in the original file and export it again.',
    );
  }
  const name = readPlatform(platform);
  return { platform: name, contact: normalContactId(name, contact) };
}

/** The contact id behind one name; see `findReferences`. Throws BOT_NOT_FOUND, CONTACT_NOT_FOUND. */
export async function findReference(
  tx: Transaction,
  botId: string,
  reference: ContactReference,
  creation: Creation | null,
): Promise<string> {
  await findBot(tx, botId);
  const { contactIds } = await findReferences(tx, botId, [reference], creation);
  const [contactId] = contactIds;
  if (contactId === undefined) throw unknownContact(reference);
  return contactId;
}

/** The refusal of a contact that the bot does not have: an id in the wrong form can never be added. */
export function unknownContact({ platform, contact }: ContactReference): Refusal {
  const problem = contactIdProblem(platform, contact);
  if (problem !== null) return new Refusal('INPUT_INVALID', problem);
  return new Refusal(
    'CONTACT_NOT_FOUND',
    `The bot has no contact ${JSON.stringify(contact)} on ${platform}. Use --create-contacts (API: createContacts) to add it.`,
  );
}

/**
 * The contact ids behind the names, in their order. A name that the bot does not know is `undefined`; with `creation` it
 * becomes a contact if it has the form of an id (this takes the bot's lock). `added` is the number of new contacts. Safe to
 * repeat.
 */
export async function findReferences(
  tx: Transaction,
  botId: string,
  references: readonly ContactReference[],
  creation: Creation | null,
): Promise<{ contactIds: (string | undefined)[]; added: number }> {
  const found = await selectContacts(tx, botId, references);
  const unknown = references.filter(
    (reference, index) => found[index] === undefined && canBeAdded(reference),
  );
  if (creation === null || unknown.length === 0) return { contactIds: found, added: 0 };
  await lockBot(tx, botId);
  let added = 0;
  for (const [platform, named] of Map.groupBy(unknown, (reference) => reference.platform)) {
    const ids = [...new Set(named.map(({ contact }) => contact))];
    added += await createContacts(tx, botId, platform, ids, creation);
  }
  return { contactIds: await selectContacts(tx, botId, references), added };
}

/** Whether an unknown contact has the form of an id. */
export function canBeAdded({ platform, contact }: ContactReference): boolean {
  return contactIdProblem(platform, contact) === null;
}

/** The contact ids of the references that the bot knows, in their order; `undefined` for the others. */
export async function selectContacts(
  sql: Queryable,
  botId: string,
  references: readonly ContactReference[],
): Promise<(string | undefined)[]> {
  const platforms = references.map(({ platform }) => platform);
  const contacts = references.map(({ contact }) => contact);
  // Each look-up names one key and no more: with a second column to choose an index by, the planner may take the one that
  // leads through all contacts of the platform.
  const rows = await sql<(ContactReference & { contactId: string })[]>`
    select asked.platform, asked.contact,
      case when named.contact_id is not null then coalesce(named.merged_into, named.contact_id)
        else coalesce(encoded.merged_into, encoded.contact_id) end as "contactId"
    from unnest(${platforms}::text[], ${contacts}::text[]) as asked (platform, contact)
    left join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and platform = asked.platform and platform_contact_id = asked.contact limit 1
    ) named on true
    left join lateral (
      select contact_id, merged_into, platform from contacts
      where bot_id = ${botId} and contact_id = asked.contact and forgotten_at is null limit 1
    ) encoded on encoded.platform = asked.platform
    where named.contact_id is not null or encoded.contact_id is not null`;
  const found = new Map(rows.map((row) => [keyOf(row), row.contactId]));
  return references.map((reference) => found.get(keyOf(reference)));
}

function keyOf({ platform, contact }: ContactReference): string {
  return `${platform} ${contact}`;
}
