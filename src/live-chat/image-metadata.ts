/**
 * Removal of image metadata: location, time, device, captions, previews. Pure code.
 *
 * JPEG (ITU T.81, Exif 2.32), PNG (third edition) and WebP (RFC 9649) are lists of labelled parts. Only the parts that a decoder
 * needs for the picture and its colours stay. This also removes unknown metadata and everything after the end. The picture's bytes
 * stay the same. The orientation is the only metadata that is written back.
 *
 * GIFs stay unchanged: cameras do not produce them.
 */
import { crc32 } from 'node:zlib';
import { Refusal } from '../errors.ts';
import { type ImageType, imageTypeOf, imageTypes } from './image-type.ts';

/** An uploaded image without its metadata. Throws Refusal MEDIA_TYPE_UNSUPPORTED. */
export function toImage(upload: Uint8Array): { type: ImageType; content: Uint8Array } {
  const type = imageTypeOf(upload);
  const content = type && withoutMetadata(type, upload);
  if (type && content) return { type, content };
  throw new Refusal('MEDIA_TYPE_UNSUPPORTED', `the body must be an image: ${imageTypes.join(', ')}`);
}

/** The image without metadata; null: it has no readable picture. A truncated part ends the image. */
export function withoutMetadata(type: ImageType, bytes: Uint8Array): Uint8Array | null {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 'image/jpeg') return cleanJpeg(image);
  if (type === 'image/png') return cleanPng(image);
  return type === 'image/webp' ? cleanWebp(image) : bytes;
}

// --- JPEG: markers FF xx, most with a length; the picture's data extends to the next marker.

const [startOfImage, endOfImage, startOfScan] = [0xd8, 0xd9, 0xda];
const [app0, app1, app2, app14] = [0xe0, 0xe1, 0xe2, 0xee];
/** Frames and tables; scans and their parameters. */
const decoderParts = [
  [0xc0, 0xcf],
  [0xda, 0xdf],
] as const;
const exifLabel = Buffer.from('Exif\0\0', 'latin1');
/** Version, no unit, density 1:1, and no preview. */
const jfif = Buffer.from('JFIF\0\x01\x02\0\0\x01\0\x01\0\0', 'latin1');

function cleanJpeg(image: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  let orientation: number | null = null;
  let hasPicture = false;
  let offset = 2;
  while (offset + 2 <= image.length && image[offset] === 0xff) {
    const marker = image[offset + 1] ?? 0;
    // Fill bytes may precede a marker.
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    if (marker === endOfImage) break;
    const length = offset + 4 <= image.length ? image.readUInt16BE(offset + 2) : 0;
    const end = offset + 2 + length;
    if (length < 2 || end > image.length) break;
    const content = image.subarray(offset + 4, end);
    if (marker === app1 && orientation === null) orientation = orientationIn(content);
    const part = segmentToKeep(marker, content, image.subarray(offset, end));
    if (part) parts.push(part);
    offset = end;
    if (marker !== startOfScan) continue;
    const next = endOfScan(image, offset);
    parts.push(image.subarray(offset, next));
    hasPicture ||= next > offset;
    offset = next;
  }
  if (!hasPicture) return null;
  const exif = orientation === null ? [] : [segment(app1, Buffer.concat([exifLabel, exifOf(orientation)]))];
  // The standard requires JFIF as the first part.
  const first = parts[0]?.[1] === app0 ? parts.splice(0, 1) : [];
  return Buffer.concat([
    Buffer.from([0xff, startOfImage]),
    ...[...first, ...exif, ...parts],
    Buffer.from([0xff, endOfImage]),
  ]);
}

/** Of the application parts, only those that define colours stay. */
function segmentToKeep(marker: number, content: Buffer, whole: Buffer): Buffer | null {
  const isLabelled = (label: string) => content.subarray(0, label.length).toString('latin1') === label;
  if (marker === app0) return isLabelled('JFIF\0') ? segment(app0, withoutPreview(content)) : null;
  if (marker === app2) return isLabelled('ICC_PROFILE\0') ? whole : null;
  if (marker === app14) return isLabelled('Adobe') ? whole : null;
  return decoderParts.some(([from, to]) => marker >= from && marker <= to) ? whole : null;
}

function withoutPreview(content: Buffer): Buffer {
  return content.length < jfif.length
    ? jfif
    : Buffer.concat([content.subarray(0, jfif.length - 2), jfif.subarray(-2)]);
}

function segment(marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** The end of a scan's data. Within it, FF is followed by 00 or by a restart marker. */
function endOfScan(image: Buffer, start: number): number {
  for (let offset = image.indexOf(0xff, start); offset >= 0; offset = image.indexOf(0xff, offset + 1)) {
    const next = image[offset + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return offset;
  }
  return image.length;
}

// --- PNG: length, name, content, check sum.

const pngKept = new Set([
  ...['IHDR', 'PLTE', 'IDAT', 'IEND', 'acTL', 'fcTL', 'fdAT', 'tRNS'],
  ...['gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'mDCV', 'cLLI', 'sBIT', 'bKGD', 'pHYs'],
]);
const pngHeadBytes = 8;

function cleanPng(image: Buffer): Buffer | null {
  const parts = [image.subarray(0, pngHeadBytes)];
  let orientation: number | null = null;
  let firstData: number | null = null;
  for (let offset = pngHeadBytes; offset + 12 <= image.length; ) {
    const end = offset + 12 + image.readUInt32BE(offset);
    if (end > image.length) break;
    const name = image.toString('latin1', offset + 4, offset + 8);
    if (name === 'eXIf') orientation ??= orientationOf(image.subarray(offset + 8, end - 4));
    if (name === 'IDAT') firstData ??= parts.length;
    if (pngKept.has(name)) parts.push(image.subarray(offset, end));
    if (name === 'IEND') break;
    offset = end;
  }
  if (firstData === null) return null;
  if (orientation !== null) parts.splice(firstData, 0, pngChunk('eXIf', exifOf(orientation)));
  return Buffer.concat(parts);
}

function pngChunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(content.length, 0);
  numbers.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([numbers.subarray(0, 4), body, numbers.subarray(4)]);
}

// --- WebP: name, length, content, padded to an even length; a frame of an animation contains such parts.

const webpKept = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
const webpPictures = new Set(['VP8 ', 'VP8L', 'ANMF']);
const webpHeadBytes = 12;
const frameHeadBytes = 16;
const [exifFlag, xmpFlag] = [0x08, 0x04];

function cleanWebp(image: Buffer): Buffer | null {
  const { parts, orientation, hasPicture } = readChunks(image, webpHeadBytes);
  if (!hasPicture) return null;
  const [first] = parts;
  const isExtended = first?.name === 'VP8X' && first.content.length > 0;
  const exif = isExtended && orientation !== null ? [webpChunk('EXIF', exifOf(orientation))] : [];
  if (isExtended) {
    const content = Buffer.from(first.content);
    content[0] = ((content[0] ?? 0) & ~(exifFlag | xmpFlag)) | (exif.length > 0 ? exifFlag : 0);
    first.content = content;
  }
  const body = Buffer.concat([...parts.map(({ name, content }) => webpChunk(name, content)), ...exif]);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
}

type Chunk = { name: string; content: Buffer };

function readChunks(image: Buffer, start: number) {
  const parts: Chunk[] = [];
  let orientation: number | null = null;
  let hasPicture = false;
  for (let offset = start; offset + 8 <= image.length; ) {
    const length = image.readUInt32LE(offset + 4);
    const end = offset + 8 + length;
    if (end > image.length) break;
    const name = image.toString('latin1', offset, offset + 4);
    const content = image.subarray(offset + 8, end);
    if (name === 'EXIF') orientation ??= orientationIn(content) ?? orientationOf(content);
    if (name === 'ANMF') {
      const frame = readChunks(content, frameHeadBytes).parts.map((part) =>
        webpChunk(part.name, part.content),
      );
      parts.push({ name, content: Buffer.concat([content.subarray(0, frameHeadBytes), ...frame]) });
    } else if (webpKept.has(name)) parts.push({ name, content });
    hasPicture ||= webpPictures.has(name);
    offset = end + (length % 2);
  }
  return { parts, orientation, hasPicture };
}

function webpChunk(name: string, content: Buffer): Buffer {
  const head = Buffer.from(`${name}\0\0\0\0`, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

// --- Exif: a TIFF file whose first directory may contain the orientation.

const orientationTag = 0x0112;
const [upright, orientationMax] = [1, 8];

/** The orientation in content that begins with Exif's label. */
function orientationIn(content: Buffer): number | null {
  const isExif = content.subarray(0, exifLabel.length).equals(exifLabel);
  return isExif ? orientationOf(content.subarray(exifLabel.length)) : null;
}

/** 2 to 8; null: the picture is upright, or the directory is unreadable. */
function orientationOf(tiff: Buffer): number | null {
  const order = tiff.toString('latin1', 0, 2);
  if (tiff.length < 10 || (order !== 'II' && order !== 'MM')) return null;
  const isLittle = order === 'II';
  const short = (offset: number) => (isLittle ? tiff.readUInt16LE(offset) : tiff.readUInt16BE(offset));
  const directory = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return null;
  const count = short(directory);
  for (let entry = 0; entry < count; entry += 1) {
    const offset = directory + 2 + 12 * entry;
    if (offset + 12 > tiff.length) return null;
    if (short(offset) !== orientationTag) continue;
    const value = short(offset + 8);
    return value > upright && value <= orientationMax ? value : null;
  }
  return null;
}

/** A directory with only the orientation. */
function exifOf(orientation: number): Buffer {
  const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  tiff.writeUInt16BE(orientation, 18);
  return tiff;
}
