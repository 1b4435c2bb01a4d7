/**
 * Random ids. They consist of random letters, so that they reveal nothing and cannot be guessed.
 */

/** Returns random bytes: `crypto.randomBytes`, or a seeded source in tests. */
export type Random = (size: number) => Uint8Array;

/** The same source, read in portions, because a small read costs as much as a large one. */
export function inPortions(random: Random, portion = 4_096): Random {
  let bytes: Uint8Array = new Uint8Array();
  let position = 0;
  return (size) => {
    if (size > portion) return random(size);
    if (position + size > bytes.length) [bytes, position] = [random(portion), 0];
    position += size;
    return bytes.subarray(position - size, position);
  };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idLength = 14;

/** A random id of 14 letters (79 bits). */
export function newId(random: Random, length = idLength): string {
  let id = '';
  while (id.length < length) {
    for (const byte of random(length)) {
      // 208 = 4 × 52: larger bytes would favour the first letters.
      if (byte < 208 && id.length < length) id += alphabet[byte % 52];
    }
  }
  return id;
}
