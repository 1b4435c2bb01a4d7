/**
 * The type of an image by its first bytes. The sender's content type is ignored. Pure code.
 */

export const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];

export const imageBytesMax = 5 * 1024 * 1024;

/** Bytes at the beginning, by offset, that only this format has. */
const signatures: readonly {
  type: ImageType;
  parts: readonly (readonly [offset: number, bytes: Buffer])[];
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

/** The type; null: another format. */
export function imageTypeOf(bytes: Uint8Array): ImageType | null {
  const signature = signatures.find(({ parts }) =>
    parts.every(([offset, part]) => part.equals(bytes.subarray(offset, offset + part.length))),
  );
  return signature?.type ?? null;
}
