/**
 * The master key, and the keys that are made of it (HKDF-SHA-256): one for each purpose.
 *
 * The master key is SHOAL_SECRET_KEY, or the content of `secret.key` in the data folder, which the first start makes. Every
 * process of one installation must have the same.
 */
import { hkdfSync } from 'node:crypto';
import { link, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import { type Place, seal, unseal } from './seal.ts';

export type Keys = {
  /** A box that only the same key and place open. */
  seal(text: string, place: Place): Uint8Array;
  /** What the box holds. Throws Refusal INPUT_INVALID when it was sealed with another key or for another place. */
  unseal(box: Uint8Array, place: Place): string;
  /** Signs API tokens (HS256). */
  tokenKey: Uint8Array;
  /** Makes the codes of links. */
  linkKey: Uint8Array;
  /** Makes unnamed visitors of addresses. */
  visitorKey: Uint8Array;
  /** Hashes names and addresses of attempts to sign in. */
  attemptKey: Uint8Array;
  /** Signs the tokens of live chat's visitors. */
  chatKey: Uint8Array;
};

const fileName = 'secret.key';
const keyBytes = 32;
const secretKeyLengthMin = 32;
/** What others than the owner may do, in a file's mode. */
const othersMode = 0o077;

/**
 * Opens the keys; makes the key file when there is neither a secret key nor a file. Safe to repeat and from several processes
 * at once: all get the same. Throws Refusal INPUT_INVALID for a short key, and for a key file that is damaged or open to others.
 */
export async function openKeys({
  secretKey,
  dataFolder,
  random,
}: {
  secretKey: string | null;
  dataFolder: string;
  random: Random;
}): Promise<Keys> {
  if (secretKey === null) return deriveKeys(await openKeyFile(dataFolder, random), random);
  if (secretKey.length < secretKeyLengthMin) {
    throw new Refusal(
      'INPUT_INVALID',
      `SHOAL_SECRET_KEY must have at least ${secretKeyLengthMin} characters, not ${secretKey.length}.`,
    );
  }
  return deriveKeys(secretKey, random);
}

function deriveKeys(master: string, random: Random): Keys {
  const sealingKey = derive(master, 'shoal credentials at rest');
  return {
    seal: (text, place) => seal(sealingKey, text, place, random),
    unseal: (box, place) => unseal(sealingKey, box, place),
    tokenKey: derive(master, 'shoal API tokens'),
    linkKey: derive(master, 'shoal links'),
    visitorKey: derive(master, 'shoal visitors'),
    attemptKey: derive(master, 'shoal sign-in attempts'),
    chatKey: derive(master, 'shoal live chat'),
  };
}

function derive(master: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', master, '', purpose, keyBytes));
}

async function openKeyFile(dataFolder: string, random: Random): Promise<string> {
  const path = join(dataFolder, fileName);
  const kept = await readKeyFile(path);
  if (kept !== null) return kept;
  await mkdir(dataFolder, { recursive: true });
  await createKeyFile(path, random);
  const made = await readKeyFile(path);
  if (made === null) throw new Error(`${path} was removed while it was made`);
  return made;
}

/** The key in the file; null: there is no file. */
async function readKeyFile(path: string): Promise<string | null> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new Refusal('INPUT_INVALID', `The key file cannot be read: ${error.message}.`);
  });
  if (file === null) return null;
  try {
    const { mode } = await file.stat();
    // Windows keeps its permissions elsewhere; every file looks open there.
    if (process.platform !== 'win32' && (mode & othersMode) !== 0) {
      throw new Refusal(
        'INPUT_INVALID',
        `The key file ${path} is open to other users. Close it: chmod 600 ${path}`,
      );
    }
    const text = (await file.readFile('utf8')).trim();
    if (!/^[\w-]{43}$/.test(text)) throw new Refusal('INPUT_INVALID', `The key file ${path} is damaged.`);
    return text;
  } finally {
    await file.close();
  }
}

// Written whole beside, then linked: a link fails when another process was first, and nobody ever reads half a key.
async function createKeyFile(path: string, random: Random): Promise<void> {
  const beside = `${path}-${Buffer.from(random(8)).toString('hex')}`;
  const key = Buffer.from(random(keyBytes)).toString('base64url');
  try {
    await writeFile(beside, `${key}\n`, { flag: 'wx', mode: 0o600, flush: true });
    await link(beside, path);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
  } finally {
    await rm(beside, { force: true });
  }
}
