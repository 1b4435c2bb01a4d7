/**
 * The preparation of lines for their write: most files name contacts, which are looked up or added.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import type { Problems } from '../problems.ts';
import {
  type ContactReference,
  type Creation,
  canBeAdded,
  findReferences,
  selectContacts,
  unknownContact,
} from './contact-references.ts';

export type ImportedLine = { line: number };
export type ContactLine = ImportedLine & ContactReference;
/** A line with the id of its contact. */
export type Resolved<Line> = Line & { contactId: string };

export type Preparation<Line, Ready> = {
  /** Prepares lines. A line that cannot be prepared is added to the problems. */
  prepare(
    tx: Transaction,
    botId: string,
    lines: readonly Line[],
    options: { creation: Creation | null; problems: Problems },
  ): Promise<{ ready: Ready[]; contactsAdded: number }>;
  /** Adds the lines that `prepare` would refuse to the problems, and changes nothing. */
  check(
    sql: Queryable,
    botId: string,
    lines: readonly Line[],
    options: { createContacts: boolean; problems: Problems },
  ): Promise<void>;
};

/** For files whose lines name contacts. */
export function byContact<Line extends ContactLine>(): Preparation<Line, Resolved<Line>> {
  return {
    async prepare(tx, botId, lines, { creation, problems }) {
      const { contactIds, added } = await findReferences(tx, botId, lines, creation);
      const ready = lines.flatMap((line, index) => {
        const contactId = contactIds[index];
        if (contactId !== undefined) return { ...line, contactId };
        problems.add(`line ${line.line}`, unknownContact(line));
        return [];
      });
      return { ready, contactsAdded: added };
    },
    async check(sql, botId, lines, { createContacts, problems }) {
      const contactIds = await selectContacts(sql, botId, lines);
      for (const [index, line] of lines.entries()) {
        if (contactIds[index] !== undefined || (createContacts && canBeAdded(line))) continue;
        problems.add(`line ${line.line}`, unknownContact(line));
      }
    },
  };
}

/** For files without contacts. */
export function unprepared<Line>(): Preparation<Line, Line> {
  return {
    prepare: async (_tx, _botId, lines) => ({ ready: [...lines], contactsAdded: 0 }),
    check: async () => undefined,
  };
}
