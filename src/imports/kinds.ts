/** What a file can contain, and its import: the same for the API and the commands. */
import { Refusal } from '../errors.ts';
import { contactsPlan } from './contacts.ts';
import { cataloguePlan, giftsPlan, redemptionsPlan } from './gifts.ts';
import { type Imported, type ImportOptions, type ImportRun, importLines } from './import.ts';
import { pointsPlan } from './points.ts';

export const importKinds = ['contacts', 'points', 'catalogue', 'gifts', 'redemptions'] as const;
export type ImportKind = (typeof importKinds)[number];

/** `createContacts` undefined: contacts are always added, points and gifts add none. */
export type KindOptions = Omit<ImportOptions, 'createContacts'> & { createContacts?: boolean | undefined };

/** The counts of a kind: `added` and `updated` (contacts also `tagged`), or `written` and `repeated`. */
export type ImportCounts = { botId: string; lines: number } & Record<string, string | number>;

/** Imports a file completely or not at all. Throws Refusal INPUT_INVALID, also for an option of another kind. */
export async function importKind(
  what: ImportKind,
  run: ImportRun,
  { createContacts, ...options }: KindOptions,
): Promise<ImportCounts> {
  if (createContacts !== undefined && what !== 'points' && what !== 'gifts')
    throw new Refusal('INPUT_INVALID', `Only imports of points and gifts can create contacts, not ${what}.`);
  const { botId } = options;
  const creates = { ...options, createContacts: what === 'contacts' || (createContacts ?? false) };
  const { lines, counts } = await importPlanOf(what, run, creates);
  if (what === 'contacts') return { botId, lines, ...{ added: 0, updated: 0, tagged: 0 }, ...counts };
  if (what === 'catalogue') return { botId, lines, ...{ added: 0, updated: 0 }, ...counts };
  const { written = 0 } = counts;
  return { botId, lines, written, repeated: lines - written };
}

function importPlanOf(what: ImportKind, run: ImportRun, options: ImportOptions): Promise<Imported> {
  const { botId } = options;
  switch (what) {
    case 'contacts':
      return importLines(run, options, contactsPlan(botId, run));
    case 'points':
      return importLines(run, options, pointsPlan(botId));
    case 'catalogue':
      return importLines(run, options, cataloguePlan(botId, run));
    case 'gifts':
      return importLines(run, options, giftsPlan(botId));
    case 'redemptions':
      return importLines(run, options, redemptionsPlan(botId));
  }
}
