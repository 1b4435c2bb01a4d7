/** Three numbers below the limits, derived from a text: always the same, and evenly distributed. */
export function indexesOf(
  text: string,
  [one, two, three]: readonly [number, number, number],
): [number, number, number] {
  const hash = hashOf(text);
  const second = Math.floor(hash / one);
  return [hash % one, second % two, Math.floor(second / two) % three];
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
