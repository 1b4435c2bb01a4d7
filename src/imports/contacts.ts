/**
 * The import of contacts: profiles and tags. It adds unknown contacts and updates the others; an empty field keeps the stored
 * value. Figures of followers and messages do not change: an imported contact becomes a follower with its first suitable event.
 *
 * The columns are those of the export. Columns that only events determine may exist and are ignored.
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
import { contactsQuery } from '../exports/contacts.ts';
import type { Random } from '../random.ts';
import type { TagKind } from '../tags/tag.ts';
import { addTags, tagName } from '../tags/tags.ts';
import { readReference } from './contact-references.ts';
import type { ImportPlan } from './import.ts';
import { byContact, type ContactLine, type Resolved } from './preparation.ts';

type ProfileLine = ContactLine & {
  profile: Partial<Record<ProfileField, string>>;
  tags: { kind: TagKind; tag: string }[];
};

const kindOf: Readonly<Record<string, TagKind>> = {
  tags: 'manual',
  personal_tags: 'personal',
  automatic_tags: 'automatic',
};

const required = ['platform', 'platform_contact_id'];
const optional = [...profileFields, ...Object.keys(kindOf)];
/** The further columns of the export. */
const ignored = Object.keys(contactsQuery.columns).filter(
  (name) => ![...required, ...optional].includes(name),
);

const fieldLengthMax = 2_000;

/**
 * Counts `added` contacts, `updated` profiles (including those of added contacts) and `tagged`: new assignments. For one contact,
 * later lines override earlier ones.
 */
export function contactsPlan(botId: string, { random }: { random: Random }): ImportPlan<ProfileLine> {
  return {
    columns: { required, optional, ignored },
    preparation: byContact(),
    read: readContactLine,
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

function readContactLine(fields: Readonly<Record<string, string>>, line: number): ProfileLine {
  const { platform = '', platform_contact_id: contact = '' } = fields;
  const profile: ProfileLine['profile'] = {};
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
  // PostgreSQL cannot store NUL, and half a surrogate pair would become another character.
  if (text.length <= lengthMax && !/[\0\p{Cs}]/u.test(text)) return text;
  throw new Refusal(
    'INPUT_INVALID',
    `${name} must have at most ${lengthMax} characters, valid Unicode without NUL, not ${JSON.stringify(text.slice(0, 60))}.`,
  );
}

function toChanges(lines: readonly Resolved<ProfileLine>[]): ProfileChange[] {
  const changes = new Map<string, ProfileChange>();
  for (const { contactId, profile } of lines) {
    changes.set(contactId, { ...changes.get(contactId), contactId, ...profile });
  }
  return [...changes.values()];
}
