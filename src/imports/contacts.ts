/**
 * The import of contacts: who they are to the business, and tags. It adds contacts that the bot does not know and writes what a
 * line tells of the others; an empty field leaves what is there. No figure of followers or messages changes: an imported contact
 * is no follower until an event says so.
 *
 * The columns are those of the export, whose others may be there and are not read.
 */

import {
  customerIdLengthMax,
  type ProfileChange,
  type ProfileField,
  profileFields,
  writeProfiles,
} from '../contacts/profiles.ts';
import { splitList } from '../csv-fields.ts';
import { Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import type { TagKind } from '../tags/tag.ts';
import { addTags, tagName } from '../tags/tags.ts';
import { readReference } from './contact-references.ts';
import type { ImportedLine, ImportPlan, Resolved } from './import.ts';

type ContactLine = ImportedLine & {
  profile: Partial<Record<ProfileField, string>>;
  tags: { kind: TagKind; tag: string }[];
};

const kindOf: Readonly<Record<string, TagKind>> = {
  tags: 'manual',
  personal_tags: 'personal',
  automatic_tags: 'automatic',
};

/** What the export has beside it: figures, and what events decide. */
const ignored = [
  'contact_id',
  'other_platform_contact_ids',
  'follower',
  'followed_at',
  'followed_day',
  'blocked',
  'last_interact_at',
  'points',
  'points_balance',
  'created_at',
  'created_day',
];

const fieldLengthMax = 2_000;

/**
 * Counts `added` contacts, `updated` profiles (those of added contacts included) and `tagged`: assignments that began. Later
 * lines for a contact go before earlier ones.
 */
export function contactsPlan(botId: string, { random }: { random: Random }): ImportPlan<ContactLine> {
  return {
    columns: {
      required: ['platform', 'platform_contact_id'],
      optional: [...profileFields, ...Object.keys(kindOf)],
      ignored,
    },
    read: readContactLine,
    transaction: (sql, work) => sql.begin(work),
    async write(tx, lines, { now, contactsAdded }) {
      const updated = await writeProfiles(tx, botId, toChanges(lines), { now });
      let tagged = 0;
      for (const kind of Object.values(kindOf)) {
        const tags = lines.flatMap(({ contactId, tags }) =>
          tags.filter((tag) => tag.kind === kind).map(({ tag }) => ({ contactId, tag })),
        );
        if (tags.length > 0) tagged += await addTags(tx, { botId, kind, tags }, { now, random });
      }
      return { added: contactsAdded, updated, tagged };
    },
  };
}

function readContactLine(fields: Readonly<Record<string, string>>, line: number): ContactLine {
  const { platform = '', platform_contact_id: contact = '' } = fields;
  const profile: ContactLine['profile'] = {};
  for (const name of profileFields) {
    const text = fields[name] ?? '';
    if (text !== '') profile[name] = readText(name, text);
  }
  const tags = Object.entries(kindOf).flatMap(([column, kind]) =>
    splitList(fields[column] ?? '').map((text) => ({ kind, tag: tagName(text) })),
  );
  return { line, ...readReference(platform, contact), profile, tags };
}

function readText(name: ProfileField, text: string): string {
  const lengthMax = name === 'customer_id' ? customerIdLengthMax : fieldLengthMax;
  // PostgreSQL keeps no NUL, and half a surrogate pair would become another character.
  if (text.length <= lengthMax && !/[\0\p{Cs}]/u.test(text)) return text;
  throw new Refusal(
    'INPUT_INVALID',
    `${name} has at most ${lengthMax} characters, all of them Unicode and none NUL, not ${JSON.stringify(text.slice(0, 60))}.`,
  );
}

/** One change for each contact. */
function toChanges(lines: readonly Resolved<ContactLine>[]): ProfileChange[] {
  const changes = new Map<string, ProfileChange>();
  for (const { contactId, profile } of lines) {
    changes.set(contactId, { ...changes.get(contactId), contactId, ...profile });
  }
  return [...changes.values()];
}
