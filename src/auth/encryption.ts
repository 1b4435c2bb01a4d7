/**
 * Boxes for credentials at rest, with AES-256-GCM. A modified box, a box of another place or of another key does not open.
 *
 *     version (1 byte, now 1) | nonce (12) | ciphertext | tag (16)
 *
 * The place of a box is its additional data: checked, not stored.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { invalidInput, type Refusal } from '../errors.ts';
import type { Random } from '../random.ts';

/** The row and column of a box. */
export type Place = { botId: string; platform: string; column: string };

const cipherName = 'aes-256-gcm';
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const nonceEnd = 1 + nonceBytes;

/** Seals the text for the place; a different box each time. The key has 32 bytes. */
export function seal(key: Uint8Array, text: string, place: Place, random: Random): Buffer {
  const nonce = random(nonceBytes);
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(toBytes(place));
  const ciphertext = [cipher.update(text, 'utf8'), cipher.final()];
  return Buffer.concat([Buffer.of(version), nonce, ...ciphertext, cipher.getAuthTag()]);
}

/** Opens a box of the place. Throws Refusal INPUT_INVALID if it does not open, usually because of another key. */
export function unseal(key: Uint8Array, box: Uint8Array, place: Place): string {
  if (box[0] !== version || box.length < nonceEnd + tagBytes) throw refusal(place);
  const tagStart = box.length - tagBytes;
  const decipher = createDecipheriv(cipherName, key, box.subarray(1, nonceEnd), { authTagLength: tagBytes });
  decipher.setAAD(toBytes(place)).setAuthTag(box.subarray(tagStart));
  try {
    return decipher.update(box.subarray(nonceEnd, tagStart), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw refusal(place);
  }
}

function toBytes({ botId, platform, column }: Place): Buffer {
  return Buffer.from(JSON.stringify([botId, platform, column]));
}

function refusal({ botId, platform, column }: Place): Refusal {
  return invalidInput(
    `The ${column} of bot ${botId} for ${platform} cannot be opened: the secret key is not the one it was sealed with. Start with that key (SHOAL_SECRET_KEY, or the key file in the data folder), or set the ${column} again.`,
  );
}
