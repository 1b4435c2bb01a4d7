/**
 * Restores a backup into an empty database. Any version of Shoal from the backup's own one on can do it.
 *
 * The file is read twice: to verify it before anything is changed, and to store it. Schema and rows are one transaction, so a killed
 * restore leaves an empty database and can be repeated.
 */
import type { Sql, Transaction } from '../database/client.ts';
import { copyIn } from '../database/copy.ts';
import { lockMigrations, type Migration, migrate, migrateWithin } from '../database/migrate.ts';
import { invalidInput } from '../errors.ts';
import {
  type Member,
  type MemberRecord,
  manifestName,
  type ReadOptions,
  readArchive,
  recordOf,
} from './archive.ts';
import { keysName, type Manifest, readManifest, tableOf } from './manifest.ts';

/** A verified backup. */
export type Backup = { path: string; manifest: Manifest /** The current one first. */; keys: string[] };

/**
 * Reads the whole file and checks each member against the manifest. Throws Refusal INPUT_INVALID if the file is damaged, incomplete, no
 * backup or newer than this version, or if the passphrase is wrong.
 */
export async function verifyBackup(
  path: string,
  migrations: readonly Migration[],
  options: ReadOptions,
): Promise<Backup> {
  const members: MemberRecord[] = [];
  let keys: string[] = [];
  let manifest: Manifest | undefined;
  for await (const member of readArchive(path, options)) {
    if (member.name === manifestName) {
      manifest = readManifest(member.body, migrations);
    } else {
      members.push(recordOf(member));
      if (member.name === keysName) keys = JSON.parse(Buffer.from(member.body).toString());
    }
  }
  if (manifest === undefined) throw invalidInput(`${path} is incomplete, or not a backup of Shoal.`);
  for (const [index, record] of manifest.members.entries()) checkMember(record, members[index]);
  if (members.length !== manifest.members.length) throw damaged();
  return { path, manifest, keys };
}

/**
 * Stores the backup. `beforeRows` runs when the database has proven to be empty. Throws Refusal INPUT_INVALID if the database has
 * tables, and if the file was changed after its verification. Then nothing is stored.
 */
export async function restoreBackup(
  sql: Sql,
  { path, manifest }: Backup,
  migrations: readonly Migration[],
  { beforeRows, ...options }: ReadOptions & { beforeRows: () => Promise<void> },
): Promise<void> {
  await sql.begin(async (tx) => {
    await lockMigrations(tx);
    if (await hasTables(tx)) {
      throw invalidInput(
        'The database already has data of Shoal, so nothing was restored. Restore into an empty one: choose another folder with --data, or move the folder away.',
      );
    }
    await beforeRows();
    await migrateWithin(tx, migrations.slice(0, manifest.migrations.length));
    let index = 0;
    const members = async function* () {
      for await (const member of readArchive(path, options)) {
        if (member.name === manifestName) return;
        checkMember(manifest.members[index], recordOf(member));
        index += 1;
        yield member;
      }
    };
    await storeRows(tx, manifest, members());
    if (index !== manifest.members.length) throw damaged();
    for (const { name, value } of manifest.sequences)
      await tx`select setval(quote_ident(${name})::regclass, ${value}::bigint)`;
  });
  await migrate(sql, migrations);
  await sql`analyze`;
}

async function hasTables(tx: Transaction): Promise<boolean> {
  const [row] = await tx<{ found: boolean }[]>`
    select exists (
      select from pg_class where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace
    ) as found`;
  return row?.found === true;
}

async function storeRows(tx: Transaction, manifest: Manifest, members: AsyncIterable<Member>): Promise<void> {
  let table: string | null = null;
  let rows: Awaited<ReturnType<typeof copyIn>> | undefined;
  for await (const { name, body } of members) {
    const next = tableOf(name);
    if (next === null) continue;
    if (next !== table) {
      await rows?.end();
      table = next;
      const columns = manifest.tables.find((other) => other.name === next)?.columns ?? [];
      rows = await copyIn(tx, { name: next, columns });
    }
    await rows?.write(body);
  }
  await rows?.end();
}

function checkMember(expected: MemberRecord | undefined, actual: MemberRecord | undefined): void {
  const isSame =
    expected?.name === actual?.name &&
    expected?.bytes === actual?.bytes &&
    expected?.sha256 === actual?.sha256;
  if (!isSame) throw damaged(expected?.name);
}

function damaged(name?: string) {
  return invalidInput(
    `The backup is damaged${name === undefined ? '' : `: ${name} does not match the manifest`}. Nothing was restored. Use another backup.`,
  );
}
