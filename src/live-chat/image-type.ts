/**
 * The type of an image by its first bytes. The sender's content type is ignored. Pure code.
 */

export const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];

export const imageBytesMax = 5 * 1024 * 1024;

/** The first bytes (latin1) that only this format has. */
const beginnings: Readonly<Record<ImageType, RegExp>> = {
  'image/png': /^\x89PNG\r\n\cZ\n/,
  'image/jpeg': /^\xff\xd8\xff/,
  'image/gif': /^GIF8[79]a/,
  'image/webp': /^RIFF.{4}WEBP/s,
};

/** The type; null: another format. */
export function imageTypeOf(bytes: Uint8Array): ImageType | null {
  const beginning = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  return imageTypes.find((type) => beginnings[type].test(beginning)) ?? null;
}
