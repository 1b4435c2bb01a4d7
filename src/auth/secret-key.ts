/**
 * The secret key of a database: its fingerprint is kept there, so that a process with another key stops at once instead of
 * failing each delivery. While a rotation runs there are two keys: the new one seals, both open.
 */
import type { Queryable, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { findKeys, type KeySource, type Keys, openKeys, type SecretKey } from './keys.ts';
import { allBoxes, isReadable } from './sealed-boxes.ts';

/** `previous`: a rotation runs, and some credentials are still sealed with that key. */
export type Fingerprints = { fingerprint: string; previous: string | null };

const whereKeysAre =
  'SHOAL_SECRET_KEY, SHOAL_SECRET_KEY_FILE, or secret.key in the data folder; docs/security.md, "Secret key"';

/**
 * The keys for this database; `mayMake`: the first process makes the key file. Throws Refusal INPUT_INVALID with the remedy when
 * the key is missing or is not the database's.
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
 * Checks that the keys are the database's, and uses the right one of them. The first process to come records its key. Safe to
 * repeat and from several processes at once. Throws Refusal INPUT_INVALID with the remedy.
 */
export async function matchKeys(sql: Queryable, keys: Keys, now: number): Promise<void> {
  const kept = (await readFingerprints(sql)) ?? (await recordFirst(sql, keys, now));
  const key = keys.find(kept.fingerprint);
  if (key === null) throw wrongKey(keys, kept.fingerprint);
  if (kept.previous !== null && keys.find(kept.previous) === null) throw unfinishedRotation(kept.previous);
  keys.use(key);
}

/** The key that the transaction seals with. A rotation waits for the transaction's end before it changes the key. */
export async function sealingKey(tx: Transaction, keys: Keys): Promise<SecretKey> {
  const [kept] = await tx<{ fingerprint: string }[]>`select fingerprint from secret_key for share`;
  if (!kept) return keys.current;
  const key = keys.find(kept.fingerprint);
  if (key === null) throw wrongKey(keys, kept.fingerprint);
  return key;
}

/** The database's key; null: no process has recorded one yet. */
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
  const kept = await readFingerprints(sql);
  if (kept !== null || (await hasBoxes(sql, now))) {
    throw new Refusal(
      'INPUT_INVALID',
      `The secret key of this database${kept ? ` (fingerprint ${kept.fingerprint})` : ''} is missing. Put it back (${whereKeysAre}). If it is lost: set a new one and run \`shoal key rotate --previous-lost\`.`,
    );
  }
  if (!mayMake) {
    throw new Refusal(
      'INPUT_INVALID',
      'With DATABASE_URL a secret key is needed. Make one (openssl rand -hex 32), set it as SHOAL_SECRET_KEY for every process, and keep it with your backups.',
    );
  }
  return openKeys(source);
}

/** A database of before fingerprints were kept: the key is right when it opens one of the boxes, or when there is none. */
async function recordFirst(sql: Queryable, keys: Keys, now: number): Promise<Fingerprints> {
  if (!(await opensAny(sql, keys, now))) {
    throw new Refusal(
      'INPUT_INVALID',
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
    if (boxes.some((box) => isReadable(keys, box))) return true;
    isEmpty &&= boxes.length === 0;
  }
  return isEmpty;
}

async function hasBoxes(sql: Queryable, now: number): Promise<boolean> {
  for await (const boxes of allBoxes(sql, now)) if (boxes.length > 0) return true;
  return false;
}

function wrongKey(keys: Keys, fingerprint: string): Refusal {
  const given = keys.all.map((key) => key.fingerprint).join(', ');
  return new Refusal(
    'INPUT_INVALID',
    `The secret key (fingerprint ${given}) is not the one of this database (${fingerprint}). Start with the right one (${whereKeysAre}). To change the key: keep the one before as SHOAL_SECRET_KEY_PREVIOUS and run \`shoal key rotate\`.`,
  );
}

function unfinishedRotation(fingerprint: string): Refusal {
  return new Refusal(
    'INPUT_INVALID',
    `A rotation of the secret key has not finished: some credentials are still sealed with the key before (fingerprint ${fingerprint}). Set that as SHOAL_SECRET_KEY_PREVIOUS and run \`shoal key rotate\` again.`,
  );
}
