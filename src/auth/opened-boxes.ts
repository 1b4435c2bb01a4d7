/** Remembers the contents of boxes, for code that reads the same ones again and again. */
import { boundedCache } from '../bounded-cache.ts';
import type { Place } from './encryption.ts';

export type BoxOpener = {
  /** The content of the box. Throws Refusal INPUT_INVALID if it does not open. */
  unseal(box: Uint8Array, place: Place): string;
};

const boxesMax = 10_000;

/** Opens each box of a place once. A failure is not remembered, because the key may arrive later. */
export function openedOnce(opener: BoxOpener): BoxOpener {
  const contents = boundedCache<string, string>(boxesMax);
  return {
    unseal(box, place) {
      const { botId, platform, column } = place;
      const name = `${botId} ${platform} ${column} ${Buffer.from(box.buffer, box.byteOffset, box.length).toString('latin1')}`;
      const known = contents.get(name);
      if (known !== undefined) return known;
      const content = opener.unseal(box, place);
      contents.set(name, content);
      return content;
    },
  };
}
