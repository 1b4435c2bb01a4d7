/**
 * The secret keys of this process, and the keys derived from each (HKDF-SHA-256): one for each purpose.
 *
 * The secret key is SHOAL_SECRET_KEY, or the content of `secret.key` in the data folder, which the first start makes. The key
 * before it, SHOAL_SECRET_KEY_PREVIOUS or `secret.key.previous`, still opens and verifies what was made with it. The database
 * decides which of them is in use (secret-key.ts).
 */
import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '../errors.ts';
import { closeToOthers, makeFolder, usingFolder } from '../folders.ts';
import type { Random } from '../random.ts';
import { type Place, seal, unseal } from './encryption.ts';

/** One secret key with the keys derived from it. */
export type SecretKey = {
  /** Names the key without revealing it: 16 hexadecimal digits. */
  fingerprint: string;
  /** A box that only the same key and place open. */
  seal(text: string, place: Place): Uint8Array;
  /** The content of the box. Throws Refusal INPUT_INVALID for a box of another key or another place. */
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

export type KeySource = {
  secretKey: string | null;
  /** Only with `secretKey`; the data folder has a file for it. */
  secretKeyPrevious?: string | null;
  dataFolder: string;
  random: Random;
};

const fileName = 'secret.key';
const previousFileName = 'secret.key.previous';
const keyBytes = 32;
const fingerprintBytes = 8;
const secretKeyLengthMin = 32;
const reloadPauseMs = 1_000;

/** The secret keys of this process: the one in use for everything new, and each for opening and verifying. */
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

  /** The key for everything new. Boxes are sealed with the key of the transaction instead (sealingKey). */
  get current(): SecretKey {
    return this.#current;
  }

  get tokenKey(): Uint8Array {
    return this.#current.tokenKey;
  }

  get linkKey(): Uint8Array {
    return this.#current.linkKey;
  }

  get visitorKey(): Uint8Array {
    return this.#current.visitorKey;
  }

  get attemptKey(): Uint8Array {
    return this.#current.attemptKey;
  }

  get chatKey(): Uint8Array {
    return this.#current.chatKey;
  }

  /** The key with this fingerprint; null: this process does not have it. */
  find(fingerprint: string): SecretKey | null {
    const known = () => this.#all.find((key) => key.fingerprint === fingerprint) ?? null;
    return known() ?? (this.reload() ? known() : null);
  }

  /** Makes this key the current one. */
  use(key: SecretKey): void {
    this.#current = key;
  }

  /** Opens the box with whichever key it was sealed with. Throws Refusal INPUT_INVALID when none of them opens it. */
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

  /** Reads the key files again, at most once a second; a rotation may have changed them. True: there is a new key. */
  reload(): boolean {
    const now = performance.now();
    if (now - this.#readAt < reloadPauseMs) return false;
    this.#readAt = now;
    const known = new Set(this.#all.map(({ fingerprint }) => fingerprint));
    const added = this.#read().filter(({ fingerprint }) => !known.has(fingerprint));
    this.#all = [...this.#all, ...added];
    return added.length > 0;
  }
}

/**
 * Opens the keys; makes the key file when there is neither a secret key nor a file. Safe to repeat and from several processes
 * at once: all get the same. Throws Refusal INPUT_INVALID for a short key, a damaged key file, and one of another user that is
 * open to others.
 */
export async function openKeys(source: KeySource): Promise<Keys> {
  const found = findKeys(source);
  if (found) return found;
  const { dataFolder, random } = source;
  await usingFolder(dataFolder, async () => {
    await makeFolder(dataFolder, 0o711);
    await createKeyFile(join(dataFolder, fileName), random);
  });
  const made = findKeys(source);
  if (made === null) throw new Error(`${fileName} was removed while it was made`);
  return made;
}

/** The keys that there are; null: neither a secret key nor a key file. Throws as `openKeys`. */
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

/** Replaces the key file by a new one; the key before stays beside it. A kill in between loses neither. */
export async function renewKeyFile(dataFolder: string, random: Random): Promise<void> {
  const path = join(dataFolder, fileName);
  const next = `${path}.next`;
  await rm(next, { force: true });
  await createKeyFile(next, random);
  const kept = `${path}.kept`;
  await rm(kept, { force: true });
  await link(path, kept);
  await rename(kept, join(dataFolder, previousFileName));
  await rename(next, path);
}

/** How a key is named where room is short. */
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
  };
}

function checkLength(name: string, { length }: string): void {
  if (length >= secretKeyLengthMin) return;
  throw new Refusal(
    'INPUT_INVALID',
    `${name} must have at least ${secretKeyLengthMin} characters, not ${length}.`,
  );
}

function previousAlone(): Refusal {
  return new Refusal(
    'INPUT_INVALID',
    'SHOAL_SECRET_KEY_PREVIOUS is set without SHOAL_SECRET_KEY. Set both; without them Shoal uses the key files of the data folder.',
  );
}

/** The key file's key, then the one before it; empty: there is no key file. */
function readKeyFiles(dataFolder: string): string[] {
  const key = readKeyFile(join(dataFolder, fileName));
  if (key === null) return [];
  const previous = readKeyFile(join(dataFolder, previousFileName));
  return previous === null || previous === key ? [key] : [key, previous];
}

/** The key in the file; null: there is no file. */
function readKeyFile(path: string): string | null {
  const text = readFile(path);
  if (text === null) return null;
  if (!closeToOthers(path)) {
    throw new Refusal(
      'INPUT_INVALID',
      `The key file ${path} is open to other users. Close it: chmod 600 ${path}`,
    );
  }
  if (!/^[\w-]{43}$/.test(text)) {
    throw new Refusal(
      'INPUT_INVALID',
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
    throw new Refusal('INPUT_INVALID', `The key file cannot be read: ${reason}.`);
  }
}

// Written whole under another name, then linked: a link fails when another process was first, and no process reads half a key.
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
