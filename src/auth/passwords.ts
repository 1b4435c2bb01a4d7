/**
 * Passwords: rules, storage and checks.
 *
 * Stored as scrypt with a salt in the PHC string format: `$scrypt$ln=15,r=8,p=3$salt$hash`. The parameters are from OWASP's list
 * (Password Storage Cheat Sheet). Of these equally strong ones, the one with 32 MiB fits a small server. A check takes about 0.2 s of
 * a core; few checks run or wait at a time.
 */
import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { Batcher } from '../batcher.ts';
import { invalidInput, Refusal } from '../errors.ts';
import type { Random } from '../random.ts';
import { isCommonPassword } from './common-passwords.ts';

/** N = 2^ln; memory is 128 · N · r bytes. */
export type Cost = { ln: number; r: number; p: number };

export const usualCost: Cost = { ln: 15, r: 8, p: 3 };
const saltBytes = 16;
const hashBytes = 32;
const runningMax = 2;
const waitingMax = 20;
const busySeconds = 2;
const lengthMin = 12;
const lengthMax = 200;
const differentMin = 5;

export class Passwords {
  readonly #random: Random;
  readonly #cost: Cost;
  readonly #checks = new Batcher<Check, Buffer>((checks) => Promise.all(checks.map(derive)), {
    ...{ runsMax: runningMax, batchCountMax: 1, waitingCountMax: waitingMax, gathers: false },
    refusal: () =>
      new Refusal('SIGN_IN_LIMITED', 'Too many people are signing in. Try again shortly.', {
        retryAfterSeconds: busySeconds,
      }),
  });

  constructor({ random, cost = usualCost }: { random: Random; cost?: Cost }) {
    this.#random = random;
    this.#cost = cost;
  }

  /** The stored form of a password; a different text each time. */
  async hash(password: string): Promise<string> {
    const salt = Buffer.from(this.#random(saltBytes));
    const derived = await this.#checks.put({ password, salt, cost: this.#cost });
    const { ln, r, p } = this.#cost;
    return `$scrypt$ln=${ln},r=${r},p=${p}$${toText(salt)}$${toText(derived)}`;
  }

  /**
   * Whether the password is right, and whether it must be hashed again because the cost changed. `stored` null (no such user) takes
   * the same time and is never right. Throws Refusal SIGN_IN_LIMITED if too many checks wait.
   */
  async check(password: string, stored: string | null): Promise<{ isRight: boolean; isOutdated: boolean }> {
    const { cost, salt, hash } = stored === null ? this.#dummy() : readStored(stored);
    const derived = await this.#checks.put({ password, salt, cost });
    const { ln, r, p } = this.#cost;
    return {
      isRight: timingSafeEqual(derived, hash) && stored !== null,
      isOutdated: cost.ln !== ln || cost.r !== r || cost.p !== p,
    };
  }

  #dummy(): Stored {
    return { cost: this.#cost, salt: Buffer.alloc(saltBytes), hash: Buffer.alloc(hashBytes) };
  }
}

/**
 * Throws Refusal INPUT_INVALID for a password that is short or easy to guess. Any characters are allowed (NIST SP 800-63B). The
 * message does not contain the password.
 */
export async function checkChoice(password: string, name: string): Promise<void> {
  const characters = [...password.normalize('NFKC')];
  if (characters.length < lengthMin || characters.length > lengthMax) {
    throw invalidInput(`A password has ${lengthMin} to ${lengthMax} characters, not ${characters.length}.`);
  }
  const text = characters.join('').toLowerCase();
  const isName =
    name.length > 0 && text.replaceAll(name.normalize('NFKC').toLowerCase(), '').length < lengthMin / 2;
  if (isName || new Set(text).size < differentMin) {
    throw invalidInput(
      `A password is not made of the user's name, and has at least ${differentMin} different characters.`,
    );
  }
  if (await isCommonPassword(text)) {
    throw invalidInput(
      'This password is too common: it is on the list of the most frequent ones, or one of them with digits or signs around it. Choose another, for example a few words.',
    );
  }
}

type Stored = { cost: Cost; salt: Buffer; hash: Buffer };
type Check = { password: string; salt: Buffer; cost: Cost };

const storedForm = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/;

function readStored(stored: string): Stored {
  const [, ln, r, p, salt, hash] = storedForm.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('a stored password has an unknown form');
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

// NFKC: a password typed on another keyboard has the same bytes.
function derive({ password, salt, cost: { ln, r, p } }: Check): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, hashBytes, options, (error, derived) =>
      error ? reject(error) : resolve(derived),
    );
  });
}

function toText(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
