/**
 * The secret key of a database. The database stores its fingerprint, so a process with another key stops at once instead of failing
 * each delivery. During a rotation there are two keys: the new one seals, both open.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { invalidInput, type Refusal } from '../errors.ts';
import { findKeys, type KeySource, type Keys, openKeys, type SecretKey } from './keys.ts';
import { allBoxes, unsealOrNull } from './sealed-boxes.ts';

/** `previous`: during a rotation, the key of credentials that are not yet sealed again. */
type Fingerprints = { fingerprint: string; previous: string | null };

const whereKeysAre =
  'SHOAL_SECRET_KEY, SHOAL_SECRET_KEY_FILE, or secret.key in the data folder; docs/security.md, "Secret key"';

/**
 * The keys of this database; `mayMake`: the first process creates the key file. Throws Refusal INPUT_INVALID with the remedy if the
 * key is missing or wrong.
 */
export async function keysOf(
  sql: Queryable,
  source: KeySource,
  { mayMake, now }: { mayMake: boolean; now: number },
): Promise<Keys> {
  const keys = findKeys(source) ?? (await makeKeys(sql, source, { mayMake, now }));
  await matchKeys(sql, keys, now);
  return keys;
}

/**
 * Checks that a key is the database's, and uses it. The first process records its key. Safe to repeat and to call from several
 * processes. Throws Refusal INPUT_INVALID with the remedy.
 */
export async function matchKeys(sql: Queryable, keys: Keys, now: number): Promise<void> {
  const { fingerprint, previous } = (await readFingerprints(sql)) ?? (await recordFirst(sql, keys, now));
  const key = keys.find(fingerprint);
  if (key === null) throw wrongKey(keys, fingerprint);
  if (previous !== null && keys.find(previous) === null) throw unfinishedRotation(previous);
  keys.use(key);
}

/** The key that the transaction seals with. A rotation waits for the end of the transaction. */
export async function sealingKey(tx: Transaction, keys: Keys): Promise<SecretKey> {
  const [stored] = await tx<{ fingerprint: string }[]>`select fingerprint from secret_key for share`;
  if (!stored) return keys.current;
  const key = keys.find(stored.fingerprint);
  if (key === null) throw wrongKey(keys, stored.fingerprint);
  return key;
}

/** The database's fingerprints; null: none recorded yet. */
export async function readFingerprints(sql: Queryable): Promise<Fingerprints | null> {
  const [row] = await sql<Fingerprints[]>`
    select fingerprint, previous_fingerprint as previous from secret_key`;
  return row ?? null;
}

async function makeKeys(
  sql: Queryable,
  source: KeySource,
  { mayMake, now }: { mayMake: boolean; now: number },
): Promise<Keys> {
  const stored = await readFingerprints(sql);
  if (stored !== null || (await hasBoxes(sql, now))) {
    throw invalidInput(
      `The secret key of this database${stored ? ` (fingerprint ${stored.fingerprint})` : ''} is missing. Put it back (${whereKeysAre}). If it is lost: set a new one and run \`shoal key rotate --previous-lost\`.`,
    );
  }
  if (!mayMake) {
    throw invalidInput(
      'With DATABASE_URL a secret key is needed. Make one (openssl rand -hex 32), set it as SHOAL_SECRET_KEY for every process, and keep it with your backups.',
    );
  }
  return openKeys(source);
}

/** For a database without a recorded fingerprint: the key is right if it opens a box, or if there is no box. */
async function recordFirst(sql: Queryable, keys: Keys, now: number): Promise<Fingerprints> {
  if (!(await opensAny(sql, keys, now))) {
    throw invalidInput(
      `The secret key is not the one of this database: it opens none of its credentials. Start with the right one (${whereKeysAre}).`,
    );
  }
  const { fingerprint } = keys.current;
  await sql`
    insert into secret_key (fingerprint, set_at) values (${fingerprint}, ${new Date(now)})
    on conflict do nothing`;
  return (await readFingerprints(sql)) ?? { fingerprint, previous: null };
}

async function opensAny(sql: Queryable, keys: Keys, now: number): Promise<boolean> {
  let isEmpty = true;
  for await (const boxes of allBoxes(sql, now)) {
    if (boxes.some((box) => unsealOrNull(keys, box) !== null)) return true;
    isEmpty &&= boxes.length === 0;
  }
  return isEmpty;
}

async function hasBoxes(sql: Queryable, now: number): Promise<boolean> {
  for await (const boxes of allBoxes(sql, now)) if (boxes.length > 0) return true;
  return false;
}

function wrongKey(keys: Keys, fingerprint: string): Refusal {
  const fingerprints = keys.all.map((key) => key.fingerprint).join(', ');
  return invalidInput(
    `The secret key (fingerprint ${fingerprints}) is not the one of this database (${fingerprint}). Start with the right one (${whereKeysAre}). To change the key: keep the one before as SHOAL_SECRET_KEY_PREVIOUS and run \`shoal key rotate\`.`,
  );
}

function unfinishedRotation(fingerprint: string): Refusal {
  return invalidInput(
    `A rotation of the secret key has not finished: some credentials are still sealed with the key before (fingerprint ${fingerprint}). Set that as SHOAL_SECRET_KEY_PREVIOUS and run \`shoal key rotate\` again.`,
  );
}
