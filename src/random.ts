/**
 * Chance that is passed in, and the ids made of it: random letters, so that an id tells nothing and cannot be guessed.
 */

/** Bytes of chance, passed in: `crypto.randomBytes`, or a seeded one in tests. */
export type Random = (size: number) => Uint8Array;

/** The same chance, taken in portions of so many bytes: many small pieces would each cost as much as one. */
export function inPortions(random: Random, portion = 4_096): Random {
  let bytes: Uint8Array = new Uint8Array();
  let taken = 0;
  return (size) => {
    if (size > portion) return random(size);
    if (taken + size > bytes.length) [bytes, taken] = [random(portion), 0];
    taken += size;
    return bytes.subarray(taken - size, taken);
  };
}

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
