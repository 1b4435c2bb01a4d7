/**
 * Passwords: which ones may be chosen, and how they are kept and checked.
 *
 * Kept as scrypt with a salt of its own, in the form of password hashing competitions: `$scrypt$ln=15,r=8,p=3$salt$hash`. The
 * parameters are of OWASP's list (Password Storage Cheat Sheet); of those, which take an attacker the same, the one with 32 MiB,
 * so that a small server bears it. One check takes about 0.2 s of a core; few run at a time, and few wait.
 */
import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../errors.ts';
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
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ random, cost = usualCost }: { random: Random; cost?: Cost }) {
    this.#random = random;
    this.#cost = cost;
  }

  /** The password as it is kept; another text each time. */
  async hash(password: string): Promise<string> {
    const salt = Buffer.from(this.#random(saltBytes));
    const derived = await this.#derive(password, salt, this.#cost);
    const { ln, r, p } = this.#cost;
    return `$scrypt$ln=${ln},r=${r},p=${p}$${toText(salt)}$${toText(derived)}`;
  }

  /**
   * Whether the password is the one that is kept, and whether that is to be hashed anew because the cost has changed. `kept`
   * null, when there is no such user, takes the same work and is never right. Throws Refusal SIGN_IN_LIMITED when too many wait.
   */
  async check(password: string, kept: string | null): Promise<{ isRight: boolean; isOutdated: boolean }> {
    const { cost, salt, hash } = kept === null ? this.#nobodys() : readKept(kept);
    const derived = await this.#derive(password, salt, cost);
    const { ln, r, p } = this.#cost;
    return {
      isRight: timingSafeEqual(derived, hash) && kept !== null,
      isOutdated: cost.ln !== ln || cost.r !== r || cost.p !== p,
    };
  }

  #nobodys(): Kept {
    return { cost: this.#cost, salt: Buffer.alloc(saltBytes), hash: Buffer.alloc(hashBytes) };
  }

  async #derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
    await this.#turn();
    try {
      return await derive(password, salt, cost);
    } finally {
      const next = this.#waiting.shift();
      // The turn goes from one to the other.
      if (next) next();
      else this.#running -= 1;
    }
  }

  async #turn(): Promise<void> {
    if (this.#running < runningMax) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= waitingMax) {
      throw new Refusal('SIGN_IN_LIMITED', 'Too many sign in at this moment.', {
        retryAfterSeconds: busySeconds,
      });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/**
 * Throws Refusal INPUT_INVALID unless the password may be chosen: long, and not one that is guessed first. Any kinds of characters
 * do (NIST SP 800-63B). The message does not repeat the password.
 */
export async function checkChoice(password: string, name: string): Promise<void> {
  const characters = [...password.normalize('NFKC')];
  if (characters.length < lengthMin || characters.length > lengthMax) {
    throw new Refusal(
      'INPUT_INVALID',
      `A password has ${lengthMin} to ${lengthMax} characters, not ${characters.length}.`,
    );
  }
  const text = characters.join('').toLowerCase();
  const isName =
    name.length > 0 && text.replaceAll(name.normalize('NFKC').toLowerCase(), '').length < lengthMin / 2;
  if (isName || new Set(text).size < differentMin) {
    throw new Refusal(
      'INPUT_INVALID',
      `A password is not made of the user's name, and has at least ${differentMin} different characters.`,
    );
  }
  if (await isCommonPassword(text)) {
    throw new Refusal(
      'INPUT_INVALID',
      'This password is too common: it is on the list of the most frequent ones, or one of them with digits or signs around it. Choose another, for example a few words.',
    );
  }
}

type Kept = { cost: Cost; salt: Buffer; hash: Buffer };

const keptForm = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/;

function readKept(kept: string): Kept {
  const [, ln, r, p, salt, hash] = keptForm.exec(kept) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('a password is kept in an unknown form');
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

// NFKC: the same password typed on another keyboard has the same bytes.
function derive(password: string, salt: Buffer, { ln, r, p }: Cost): Promise<Buffer> {
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
