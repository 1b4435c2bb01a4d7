/**
 * Chance that is passed in, and the ids made of it: random letters, so that an id tells nothing and cannot be guessed.
 */

/** Bytes of chance, passed in: `crypto.randomBytes`, or a seeded one in tests. */
export type Random = (size: number) => Uint8Array;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idLength = 14;

/** A random id of 14 letters (79 bits). */
export function newId(random: Random, length = idLength): string {
  let id = '';
  while (id.length < length) {
    for (const byte of random(length)) {
      // 208 = 4 × 52: bytes above would favour the first letters.
      if (byte < 208 && id.length < length) id += alphabet[byte % 52];
    }
  }
  return id;
}
