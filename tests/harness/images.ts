/**
 * Small images without metadata, and the same images with the metadata of cameras and programs.
 *
 * Each is 16 by 8 pixels, red on the left and blue on the right.
 */
import { crc32 } from 'node:zlib';

const of = (base64: string) => Buffer.from(base64, 'base64');

export const png = of(
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAICAYAAADwdn+XAAAAJ0lEQVR4AeyQoQ0AAAjDmv3/c/kABALDkqkmFY1g9wEblnsB3Dco' +
    'AAAA//9LtzGOAAAABklEQVQDALr0H/FxgNKIAAAAAElFTkSuQmCC',
);
export const jpeg = of(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/4gHYSUNDX1BST0ZJTEUAAQEAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABh' +
    'Y3NwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAAAAAAAAAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAAB' +
    'UAAAABRyVFJDAAABZAAAAChnVFJDAAABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAA' +
    'AAgAAAAcAHMAUgBHAEJYWVogAAAAAAAAb6IAADj1AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9Y' +
    'WVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQAAAACZmYAAPKnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAM' +
    'ZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAgADIAMAAxADb/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0o' +
    'OjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2Nj' +
    'Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAIABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/' +
    'xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAABf/EABkRAAIDAQAAAAAAAAAAAAAAAABDBYHBBv/aAAwD' +
    'AQACEQMRAD8Aio4FOdbWjM8u8P/Z',
);
export const webp = of(
  'UklGRh4CAABXRUJQVlA4WAoAAAAgAAAADwAABwAASUNDUMgBAAAAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABh' +
    'Y3NwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAAAAAAAAAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAAB' +
    'UAAAABRyVFJDAAABZAAAAChnVFJDAAABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAA' +
    'AAgAAAAcAHMAUgBHAEJYWVogAAAAAAAAb6IAADj1AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9Y' +
    'WVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQAAAACZmYAAPKnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAM' +
    'ZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAgADIAMAAxADZWUDggMAAAAHABAJ0BKhAACAACwEwloAJ0AUAAAP7w' +
    'yz/+j7/+tv/9aH+tv623/20PTf/+tBNAAA==',
);
export const gif = Buffer.from('GIF89a....');

/** Every piece of metadata contains it. */
export const secret = 'secret place 25.0330N 121.5654E';

/** A TIFF file with a caption, the orientation, and a dangling pointer. */
export function exif(orientation: number, order: 'II' | 'MM' = 'MM'): Buffer {
  const isLittle = order === 'II';
  const tiff = Buffer.alloc(8 + 2 + 3 * 12 + 4);
  const short = (value: number, offset: number) =>
    isLittle ? tiff.writeUInt16LE(value, offset) : tiff.writeUInt16BE(value, offset);
  const long = (value: number, offset: number) =>
    isLittle ? tiff.writeUInt32LE(value, offset) : tiff.writeUInt32BE(value, offset);
  tiff.write(order, 'latin1');
  short(42, 2);
  long(8, 4);
  short(3, 8);
  for (const [index, [tag, type, count, value]] of [
    [0x010e, 2, secret.length, tiff.length],
    [0x0112, 3, 1, orientation],
    [0x8825, 4, 1, 0],
  ].entries()) {
    const offset = 10 + 12 * index;
    short(tag ?? 0, offset);
    short(type ?? 0, offset + 2);
    long(count ?? 0, offset + 4);
    if (type === 3) short(value ?? 0, offset + 8);
    else long(value ?? 0, offset + 8);
  }
  return Buffer.concat([tiff, Buffer.from(secret)]);
}

/** Exif, XMP, IPTC, a preview, a comment, and trailing data. */
export function describedJpeg(tiff: Buffer): Buffer {
  const segment = (marker: number, label: string, content: Buffer | string) => {
    const body = Buffer.concat([Buffer.from(label, 'latin1'), Buffer.from(content)]);
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(body.length + 2, 2);
    return Buffer.concat([head, body]);
  };
  const jfifEnd = 2 + 18;
  return Buffer.concat([
    jpeg.subarray(0, jfifEnd),
    segment(0xe0, 'JFXX\0\x10', secret),
    segment(0xe1, 'Exif\0\0', tiff),
    segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', `<x:xmpmeta>${secret}</x:xmpmeta>`),
    segment(0xe2, 'MPF\0', secret),
    segment(0xed, 'Photoshop 3.0\0', secret),
    segment(0xfe, '', secret),
    jpeg.subarray(jfifEnd),
    Buffer.from(`trailer ${secret}`),
  ]);
}

/** Texts, a time, Exif, an unknown chunk, and trailing data. */
export function describedPng(tiff: Buffer): Buffer {
  const chunk = (name: string, content: Buffer | string) => {
    const typeAndContent = Buffer.concat([Buffer.from(name, 'latin1'), Buffer.from(content)]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(typeAndContent.length - 4);
    sum.writeUInt32BE(crc32(typeAndContent));
    return Buffer.concat([length, typeAndContent, sum]);
  };
  const headEnd = 8 + 25;
  return Buffer.concat([
    png.subarray(0, headEnd),
    chunk('tEXt', `Comment\0${secret}`),
    chunk('iTXt', `XML:com.adobe.xmp\0\0\0\0\0${secret}`),
    chunk('eXIf', tiff),
    chunk('prVt', secret),
    png.subarray(headEnd),
    Buffer.from(`trailer ${secret}`),
  ]);
}

/** Exif, XMP, an unknown chunk, and trailing data. */
export function describedWebp(tiff: Buffer): Buffer {
  const chunk = (name: string, content: Buffer | string) => {
    const body = Buffer.from(content);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return Buffer.concat([Buffer.from(name, 'latin1'), length, body, Buffer.alloc(body.length % 2)]);
  };
  const body = Buffer.concat([
    webp.subarray(12),
    chunk('EXIF', tiff),
    chunk('XMP ', secret),
    chunk('PRIV', secret),
  ]);
  // The flags of VP8X follow its name and length.
  body[8] = (body[8] ?? 0) | 0x0c;
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body, Buffer.from(`trailer ${secret}`)]);
}
