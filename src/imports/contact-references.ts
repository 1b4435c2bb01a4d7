/**
 * Contacts in commands and import files: named by the id on the platform, or by the encoded client id.
 */
import { findBot, lockBot } from '../bots/bots.ts';
import { createContacts } from '../contacts/contacts.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import { contactIdProblem, isRoundedNumber, normalContactId } from '../platforms/contact-ids.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { readPlatform } from './values.ts';

export type ContactReference = { platform: PlatformName; contact: string };

/** The inputs for new contacts: `now` in ms, and random bytes for their ids. */
export type Creation = { now: number; random: Random };

const referenceLengthMax = 200;

/** Parses a typed contact for the look-up. Throws INPUT_INVALID for an unknown platform or an impossible id. */
export function readReference(platform: string, contact: string): ContactReference {
  if (contact.length < 1 || contact.length > referenceLengthMax || /[\p{Cc}\p{Cs}]/u.test(contact)) {
    throw new Refusal(
      'INPUT_INVALID',
      `A contact id has 1 to ${referenceLengthMax} characters and no control characters, not ${JSON.stringify(contact.slice(0, referenceLengthMax + 1))}.`,
    );
  }
  if (isRoundedNumber(contact)) {
    throw new Refusal(
      'INPUT_INVALID',
      `${JSON.stringify(contact)} is a number that a spreadsheet has rounded; its digits are lost. ` +
        'Format the column as text in the original file and export it again.',
    );
  }
  const name = readPlatform(platform);
  return { platform: name, contact: normalContactId(name, contact) };
}

/** Returns the contact id of one reference; see `findReferences`. Throws BOT_NOT_FOUND, CONTACT_NOT_FOUND. */
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

/** The refusal of an unknown contact. It suggests creation only if the id has a valid form. */
export function unknownContact({ platform, contact }: ContactReference): Refusal {
  const problem = contactIdProblem(platform, contact);
  if (problem !== null) return new Refusal('INPUT_INVALID', problem);
  return new Refusal(
    'CONTACT_NOT_FOUND',
    `The bot has no contact ${JSON.stringify(contact)} on ${platform}. Use --create-contacts (API: createContacts) to add it.`,
  );
}

/**
 * Returns the contact ids of the references in their order; an unknown contact is `undefined`. With `creation`, the function takes
 * the bot's lock and adds unknown contacts whose id has a valid form. `added` is their number. Idempotent.
 */
export async function findReferences(
  tx: Transaction,
  botId: string,
  references: readonly ContactReference[],
  creation: Creation | null,
): Promise<{ contactIds: (string | undefined)[]; added: number }> {
  const contactIds = await selectContacts(tx, botId, references);
  const addable = references.filter(
    (reference, index) => contactIds[index] === undefined && canBeAdded(reference),
  );
  if (creation === null || addable.length === 0) return { contactIds, added: 0 };
  await lockBot(tx, botId);
  let added = 0;
  for (const [platform, ofPlatform] of Map.groupBy(addable, (reference) => reference.platform)) {
    const ids = [...new Set(ofPlatform.map(({ contact }) => contact))];
    added += await createContacts(tx, botId, platform, ids, creation);
  }
  return { contactIds: await selectContacts(tx, botId, references), added };
}

/** True if the id of an unknown contact has a valid form. */
export function canBeAdded({ platform, contact }: ContactReference): boolean {
  return contactIdProblem(platform, contact) === null;
}

/** Returns the contact ids of the references in their order; `undefined` for unknown contacts. */
export async function selectContacts(
  sql: Queryable,
  botId: string,
  references: readonly ContactReference[],
): Promise<(string | undefined)[]> {
  // Each look-up uses one key only. With a second condition, the planner may choose the index over all contacts of the platform.
  const rows = await sql<(ContactReference & { contactId: string })[]>`
    select requested.platform, requested.contact,
      case when named.contact_id is not null then coalesce(named.merged_into, named.contact_id)
        else coalesce(encoded.merged_into, encoded.contact_id) end as "contactId"
    from ${rowTable(sql, 'requested', references, {
      platform: ['text', ({ platform }) => platform],
      contact: ['text', ({ contact }) => contact],
    })}
    left join lateral (
      select contact_id, merged_into from contacts
      where bot_id = ${botId} and platform = requested.platform and platform_contact_id = requested.contact limit 1
    ) named on true
    left join lateral (
      select contact_id, merged_into, platform from contacts
      where bot_id = ${botId} and contact_id = requested.contact and forgotten_at is null limit 1
    ) encoded on encoded.platform = requested.platform
    where named.contact_id is not null or encoded.contact_id is not null`;
  const contactIds = new Map(rows.map((row) => [keyOf(row), row.contactId]));
  return references.map((reference) => contactIds.get(keyOf(reference)));
}

function keyOf({ platform, contact }: ContactReference): string {
  return `${platform} ${contact}`;
}
