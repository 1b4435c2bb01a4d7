/**
 * The import of points: platform, contact, amount (positive earns, negative spends), and optionally expires_at and key.
 *
 * A line without a key gets one from the hash of the file and the line number. Importing the same file twice therefore changes
 * nothing, but a modified file counts as a new one.
 */
import type { Bot } from '../bots/bots.ts';
import { Refusal } from '../errors.ts';
import { checkChange, type PointChange } from '../points/change.ts';
import { writePoints } from '../points/ledger.ts';
import { readReference } from './contact-references.ts';
import type { ImportPlan } from './import.ts';
import { byContact, type ContactLine, type Resolved } from './preparation.ts';
import { readAmount, readInstant } from './values.ts';

type PointLine = ContactLine & { amount: number; expiresAt: number | null; key: string | null };

/** Counts `written`: lines that were not imported before. */
export function pointsPlan(botId: string): ImportPlan<PointLine> {
  return {
    columns: { required: ['platform', 'contact', 'amount'], optional: ['expires_at', 'key'] },
    preparation: byContact(),
    read: readPointLine,
    async write(tx, lines, { hash, problems, now }) {
      const outcomes = await writePoints(
        tx,
        botId,
        lines.map((line) => toChange(line, hash)),
        { now },
      );
      let newLines = 0;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome instanceof Refusal) problems.add(`line ${lines[index]?.line}`, outcome);
        else if (!outcome.repeated) newLines += 1;
      }
      return { written: newLines };
    },
  };
}

const readPointLine: ImportPlan<PointLine>['read'] = (fields, line, { timeZone }: Bot) => {
  const { platform = '', contact = '', amount = '', expires_at = '', key = '' } = fields;
  const pointLine: PointLine = {
    line,
    ...readReference(platform, contact),
    amount: readAmount(amount),
    expiresAt: expires_at === '' ? null : readInstant(expires_at, timeZone),
    key: key === '' ? null : key,
  };
  checkChange(toChange({ ...pointLine, contactId: '' }, ''));
  if (pointLine.amount < 0 && pointLine.expiresAt !== null) {
    throw new Refusal('INPUT_INVALID', 'Only earned points can expire. Leave expires_at empty for a spend.');
  }
  return pointLine;
};

function toChange(
  { contactId, line, key, amount, expiresAt }: Resolved<PointLine>,
  hash: string,
): PointChange {
  const change = { contactId, key: key ?? `import:${hash}:${line}` };
  if (amount < 0) return { ...change, kind: 'spend', amount: -amount };
  return { ...change, kind: 'earn', amount, expiresAt };
}
