/**
 * The secret keys of this process, and the keys derived from each (HKDF-SHA-256), one for each purpose.
 *
 * The secret key is SHOAL_SECRET_KEY, or the content of `secret.key` in the data folder, which the first start creates. The previous
 * key, SHOAL_SECRET_KEY_PREVIOUS or `secret.key.previous`, still opens its boxes and verifies its tokens. The database decides which
 * key is in use (secret-key.ts).
 */
import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidInput, Refusal } from '../errors.ts';
import { closeToOthers, makeFolder, usingFolder } from '../folders.ts';
import type { Random } from '../random.ts';
import { type Place, seal, unseal } from './encryption.ts';

/** One secret key with the keys derived from it. */
export type SecretKey = {
  /** Names the key without revealing it: 16 hexadecimal digits. */
  fingerprint: string;
  /** Returns a box that only the same key and place open. */
  seal(text: string, place: Place): Uint8Array;
  /** The content of the box. Throws Refusal INPUT_INVALID for a box of another key or another place. */
  unseal(box: Uint8Array, place: Place): string;
  /** Signs API tokens (HS256). */
  tokenKey: Uint8Array;
  /** Derives the codes of links. */
  linkKey: Uint8Array;
  /** Derives pseudonyms of visitors from addresses. */
  visitorKey: Uint8Array;
  /** Hashes names and addresses of sign-in attempts. */
  attemptKey: Uint8Array;
  /** Signs the tokens of live chat's visitors. */
  chatKey: Uint8Array;
  /** Signs the links of e-mails. */
  mailLinkKey: Uint8Array;
};

export type KeySource = {
  secretKey: string | null;
  /** Only with `secretKey`; the data folder has its own file. */
  secretKeyPrevious?: string | null;
  dataFolder: string;
  random: Random;
};

const fileName = 'secret.key';
const previousFileName = 'secret.key.previous';
/** A restored key that was a setting. */
export const settingFileName = 'secret-key.txt';
/** The key files that Shoal creates. */
const keyForm = /^[\w-]{43}$/;
const keyBytes = 32;
const fingerprintBytes = 8;
const secretKeyLengthMin = 32;
const reloadPauseMs = 1_000;

/** The secret keys of this process. The current one seals and signs; all of them open and verify. */
export class Keys {
  readonly #read: () => SecretKey[];
  #all: readonly SecretKey[];
  #current: SecretKey;
  #readAt = performance.now();

  constructor(read: () => SecretKey[]) {
    this.#read = read;
    this.#all = read();
    const [first] = this.#all;
    if (!first) throw new Error('no secret key');
    this.#current = first;
  }

  get all(): readonly SecretKey[] {
    return this.#all;
  }

  /** The key that signs. Boxes are sealed with the key of the transaction (sealingKey). */
  get current(): SecretKey {
    return this.#current;
  }

  /** The key with this fingerprint; null: this process does not have it. */
  find(fingerprint: string): SecretKey | null {
    const look = () => this.#all.find((key) => key.fingerprint === fingerprint) ?? null;
    return look() ?? (this.reload() ? look() : null);
  }

  /** Makes this key the current one. */
  use(key: SecretKey): void {
    this.#current = key;
  }

  /** Opens the box with any of the keys. Throws Refusal INPUT_INVALID if none opens it. */
  unseal(box: Uint8Array, place: Place): string {
    for (const key of this.#all) {
      try {
        return key.unseal(box, place);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
    if (this.reload()) return this.unseal(box, place);
    return this.#current.unseal(box, place);
  }

  /** Reads the key files again after a rotation, at most once a second. True: there is a new key. */
  reload(): boolean {
    const now = performance.now();
    if (now - this.#readAt < reloadPauseMs) return false;
    this.#readAt = now;
    const fingerprints = new Set(this.#all.map(({ fingerprint }) => fingerprint));
    const added = this.#read().filter(({ fingerprint }) => !fingerprints.has(fingerprint));
    this.#all = [...this.#all, ...added];
    return added.length > 0;
  }
}

/**
 * Opens the keys, and creates the key file if there is neither a secret key nor a file. Safe to repeat and to call from several
 * processes: all get the same key. Throws Refusal INPUT_INVALID for a short key, and for a damaged or readable key file.
 */
export async function openKeys(source: KeySource): Promise<Keys> {
  const existing = findKeys(source);
  if (existing) return existing;
  const { dataFolder, random } = source;
  await usingFolder(dataFolder, async () => {
    await makeFolder(dataFolder, 0o711);
    await createKeyFile(join(dataFolder, fileName), random);
  });
  const created = findKeys(source);
  if (created === null) throw new Error(`${fileName} was removed while it was created`);
  return created;
}

/** The secret keys themselves, for a backup, the current one first. Throws like `openKeys`. */
export function readSecretKeys({ secretKey, secretKeyPrevious = null, dataFolder }: KeySource): string[] {
  if (secretKey === null) return readKeyFiles(dataFolder);
  return [secretKey, secretKeyPrevious].filter((key) => key !== null);
}

/**
 * Stores the keys of a backup as key files, and returns the path of the current one. A key that was a setting has another form than
 * the file's: it is stored as `secret-key.txt`, for SHOAL_SECRET_KEY_FILE. Safe to repeat. Throws Refusal INPUT_INVALID if
 * the folder has another key.
 */
export async function restoreKeyFiles(
  dataFolder: string,
  keys: readonly string[],
  random: Random,
): Promise<string> {
  const [current = '', previous] = keys;
  const path = join(dataFolder, keyForm.test(current) ? fileName : settingFileName);
  await storeKey(path, current, random);
  if (previous !== undefined) await storeKey(join(dataFolder, previousFileName), previous, random);
  return path;
}

/** The existing keys; null: neither a secret key nor a key file. Throws like `openKeys`. */
export function findKeys(source: KeySource): Keys | null {
  const { secretKey, secretKeyPrevious = null, dataFolder, random } = source;
  if (secretKey === null) {
    if (secretKeyPrevious !== null) throw previousAlone();
    const read = () => readKeyFiles(dataFolder).map((master) => derive(master, random));
    return read().length === 0 ? null : new Keys(read);
  }
  checkLength('SHOAL_SECRET_KEY', secretKey);
  if (secretKeyPrevious !== null) checkLength('SHOAL_SECRET_KEY_PREVIOUS', secretKeyPrevious);
  const keys = [secretKey, secretKeyPrevious]
    .filter((master) => master !== null)
    .map((master) => derive(master, random));
  return new Keys(() => keys);
}

/** Replaces the key file; the previous key stays next to it. A kill in between loses neither. */
export async function renewKeyFile(dataFolder: string, random: Random): Promise<void> {
  const path = join(dataFolder, fileName);
  const next = `${path}.next`;
  await rm(next, { force: true });
  await createKeyFile(next, random);
  const copy = `${path}.kept`;
  await rm(copy, { force: true });
  await link(path, copy);
  await rename(copy, join(dataFolder, previousFileName));
  await rename(next, path);
}

/** For places with little room. */
export function shortFingerprint({ fingerprint }: SecretKey): string {
  return fingerprint.slice(0, 8);
}

function derive(master: string, random: Random): SecretKey {
  const keyFor = (purpose: string, bytes = keyBytes) =>
    new Uint8Array(hkdfSync('sha256', master, '', purpose, bytes));
  const sealingKey = keyFor('shoal credentials at rest');
  return {
    fingerprint: Buffer.from(keyFor('shoal key fingerprint', fingerprintBytes)).toString('hex'),
    seal: (text, place) => seal(sealingKey, text, place, random),
    unseal: (box, place) => unseal(sealingKey, box, place),
    tokenKey: keyFor('shoal API tokens'),
    linkKey: keyFor('shoal links'),
    visitorKey: keyFor('shoal visitors'),
    attemptKey: keyFor('shoal sign-in attempts'),
    chatKey: keyFor('shoal live chat'),
    mailLinkKey: keyFor('shoal links of e-mails'),
  };
}

function checkLength(name: string, { length }: string): void {
  if (length >= secretKeyLengthMin) return;
  throw invalidInput(`${name} must have at least ${secretKeyLengthMin} characters, not ${length}.`);
}

function previousAlone(): Refusal {
  return invalidInput(
    'SHOAL_SECRET_KEY_PREVIOUS is set without SHOAL_SECRET_KEY. Set both; without them Shoal uses the key files of the data folder.',
  );
}

/** The key file's key, then the previous one; empty: no key file. */
function readKeyFiles(dataFolder: string): string[] {
  const key = readKeyFile(join(dataFolder, fileName));
  if (key === null) return [];
  const previous = readKeyFile(join(dataFolder, previousFileName));
  return previous === null || previous === key ? [key] : [key, previous];
}

/** The key in the file; null: no file. */
function readKeyFile(path: string): string | null {
  const text = readFile(path);
  if (text === null) return null;
  if (!closeToOthers(path)) {
    throw invalidInput(`The key file ${path} is open to other users. Close it: chmod 600 ${path}`);
  }
  if (!keyForm.test(text)) {
    throw invalidInput(
      `The key file ${path} is damaged. Put it back from your backup; docs/security.md says what to do without one.`,
    );
  }
  return text;
}

function readFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidInput(`The key file cannot be read: ${reason}.`);
  }
}

// Written under another name, then linked. The link fails if another process was first, and no process reads half a key.
async function createKeyFile(path: string, random: Random): Promise<void> {
  await linkKeyFile(path, Buffer.from(random(keyBytes)).toString('base64url'), random);
}

async function linkKeyFile(path: string, key: string, random: Random): Promise<void> {
  const temporary = `${path}-${Buffer.from(random(8)).toString('hex')}`;
  try {
    await writeFile(temporary, `${key}\n`, { flag: 'wx', mode: 0o600, flush: true });
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function storeKey(path: string, key: string, random: Random): Promise<void> {
  await linkKeyFile(path, key, random);
  if (readFile(path) === key) return;
  throw invalidInput(
    `${path} has another secret key than the backup. Nothing was restored. Move the file away, or restore into another folder.`,
  );
}
