/**
 * What an image is, by its first bytes: what the sender calls it is not believed. Pure code.
 */

export const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];

export const imageBytesMax = 5 * 1024 * 1024;

/** Parts of the first bytes by their place, which no other of the formats has. */
const signatures: readonly {
  type: ImageType;
  parts: readonly (readonly [place: number, bytes: Buffer])[];
}[] = [
  { type: 'image/png', parts: [[0, Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')]] },
  { type: 'image/jpeg', parts: [[0, Buffer.from('\xff\xd8\xff', 'latin1')]] },
  { type: 'image/gif', parts: [[0, Buffer.from('GIF87a')]] },
  { type: 'image/gif', parts: [[0, Buffer.from('GIF89a')]] },
  {
    type: 'image/webp',
    parts: [
      [0, Buffer.from('RIFF')],
      [8, Buffer.from('WEBP')],
    ],
  },
];

/** The type; null: it is none of the four. */
export function imageTypeOf(bytes: Uint8Array): ImageType | null {
  const found = signatures.find(({ parts }) =>
    parts.every(([place, part]) => part.equals(bytes.subarray(place, place + part.length))),
  );
  return found?.type ?? null;
}
