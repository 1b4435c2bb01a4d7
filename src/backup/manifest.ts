/**
 * The manifest of a backup: the version that made it, its migrations, tables, sequences and members.
 */
import { checkRecorded, type Migration, type RanMigration } from '../database/migrate.ts';
import { invalidInput } from '../errors.ts';
import type { MemberRecord } from './archive.ts';

/** Tables in the order in which their rows can be stored: a table follows those that it references. */
export type TableRecord = { name: string; columns: string[] };
export type SequenceRecord = { name: string; value: string };

export type Manifest = {
  format: number;
  /** The version of Shoal that made the backup. */
  shoal: string;
  createdAt: string;
  migrations: RanMigration[];
  tables: TableRecord[];
  sequences: SequenceRecord[];
  members: MemberRecord[];
};

export const format = 1;
/** The secret keys, the current one first; an installation without a key has none. */
export const keysName = 'keys.json';
const tablesFolder = 'tables/';
const pieceDigits = 6;

/** The name of one piece of a table's rows. The pieces in order are the output of COPY. */
export function pieceName(table: string, number: number): string {
  return `${tablesFolder}${table}/${String(number).padStart(pieceDigits, '0')}.copy`;
}

/** The table of a piece; null: another member. */
export function tableOf(memberName: string): string | null {
  return memberName.startsWith(tablesFolder) ? (memberName.split('/')[1] ?? null) : null;
}

/** Reads a manifest. Throws Refusal INPUT_INVALID if a later version of Shoal made it, or it is not one. */
export function readManifest(body: Uint8Array, migrations: readonly Migration[]): Manifest {
  const manifest = parse(body);
  if (manifest.format > format) {
    throw invalidInput(
      `The backup was made by Shoal ${manifest.shoal}, which is newer than this version. Restore it with that version or a later one.`,
    );
  }
  for (const [index, row] of manifest.migrations.entries()) checkRecorded(row, migrations[index], 'backup');
  return manifest;
}

function parse(body: Uint8Array): Manifest {
  const parsed: unknown = JSON.parse(Buffer.from(body).toString());
  if (parsed instanceof Object && 'format' in parsed && Number.isInteger(parsed.format))
    return parsed as Manifest;
  throw invalidInput('The manifest of the backup is damaged.');
}
