/**
 * Images without what cameras and programs write into them: place, time, device, captions, previews. Pure code.
 *
 * JPEG (ITU T.81, Exif 2.32), PNG (third edition) and WebP (RFC 9649) are lists of labelled parts. Only parts that a decoder needs
 * for the picture and its colours stay, so an unknown kind of metadata goes, too, and so does everything behind the end. The
 * picture's bytes are not changed. A picture may lie on its side and say so in its metadata: that one number is written back.
 *
 * A GIF stays as it is: cameras make none.
 */
import { crc32 } from 'node:zlib';
import type { ImageType } from './image-type.ts';

/** The image without metadata; null: no picture can be read in it. A part that is cut off ends the image. */
export function withoutMetadata(type: ImageType, bytes: Uint8Array): Uint8Array | null {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 'image/jpeg') return cleanJpeg(image);
  if (type === 'image/png') return cleanPng(image);
  return type === 'image/webp' ? cleanWebp(image) : bytes;
}

// --- JPEG: markers FF xx, most with a length behind them; the picture's data runs up to the next marker.

const [startOfImage, endOfImage, startOfScan] = [0xd8, 0xd9, 0xda];
const [app0, app1, app2, app14] = [0xe0, 0xe1, 0xe2, 0xee];
/** Frames and tables; scans, and what they need. */
const decoderParts = [
  [0xc0, 0xcf],
  [0xda, 0xdf],
] as const;
const exifLabel = Buffer.from('Exif\0\0', 'latin1');
/** Version, no unit, density 1:1, and no preview. */
const jfif = Buffer.from('JFIF\0\x01\x02\0\0\x01\0\x01\0\0', 'latin1');

function cleanJpeg(image: Buffer): Buffer | null {
  const kept: Buffer[] = [];
  let orientation: number | null = null;
  let hasPicture = false;
  let place = 2;
  while (place + 2 <= image.length && image[place] === 0xff) {
    const marker = image[place + 1] ?? 0;
    // Fill bytes may stand before a marker.
    if (marker === 0xff) {
      place += 1;
      continue;
    }
    if (marker === endOfImage) break;
    const length = place + 4 <= image.length ? image.readUInt16BE(place + 2) : 0;
    const end = place + 2 + length;
    if (length < 2 || end > image.length) break;
    const content = image.subarray(place + 4, end);
    if (marker === app1 && orientation === null) orientation = orientationIn(content);
    const part = keptSegment(marker, content, image.subarray(place, end));
    if (part) kept.push(part);
    place = end;
    if (marker !== startOfScan) continue;
    const next = endOfScan(image, place);
    kept.push(image.subarray(place, next));
    hasPicture ||= next > place;
    place = next;
  }
  if (!hasPicture) return null;
  const exif = orientation === null ? [] : [segment(app1, Buffer.concat([exifLabel, exifOf(orientation)]))];
  // The order of the standard: JFIF is the first part.
  const first = kept[0]?.[1] === app0 ? kept.splice(0, 1) : [];
  return Buffer.concat([
    Buffer.from([0xff, startOfImage]),
    ...[...first, ...exif, ...kept],
    Buffer.from([0xff, endOfImage]),
  ]);
}

/** Of the parts for applications those that say how colours are meant. */
function keptSegment(marker: number, content: Buffer, whole: Buffer): Buffer | null {
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

/** Where the data of a scan ends. In it FF is followed by 00, or by the mark of a restart. */
function endOfScan(image: Buffer, start: number): number {
  for (let place = image.indexOf(0xff, start); place >= 0; place = image.indexOf(0xff, place + 1)) {
    const next = image[place + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return place;
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
  const kept = [image.subarray(0, pngHeadBytes)];
  let orientation: number | null = null;
  let firstData: number | null = null;
  for (let place = pngHeadBytes; place + 12 <= image.length; ) {
    const end = place + 12 + image.readUInt32BE(place);
    if (end > image.length) break;
    const name = image.toString('latin1', place + 4, place + 8);
    if (name === 'eXIf') orientation ??= orientationOf(image.subarray(place + 8, end - 4));
    if (name === 'IDAT') firstData ??= kept.length;
    if (pngKept.has(name)) kept.push(image.subarray(place, end));
    if (name === 'IEND') break;
    place = end;
  }
  if (firstData === null) return null;
  if (orientation !== null) kept.splice(firstData, 0, pngChunk('eXIf', exifOf(orientation)));
  return Buffer.concat(kept);
}

function pngChunk(name: string, content: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(content.length, 0);
  numbers.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([numbers.subarray(0, 4), named, numbers.subarray(4)]);
}

// --- WebP: name, length, content, filled up to an even length; a frame of an animation holds such parts again.

const webpKept = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
const webpPictures = new Set(['VP8 ', 'VP8L', 'ANMF']);
const webpHeadBytes = 12;
const frameHeadBytes = 16;
const [exifFlag, xmpFlag] = [0x08, 0x04];

function cleanWebp(image: Buffer): Buffer | null {
  const { kept, orientation, hasPicture } = readChunks(image, webpHeadBytes);
  if (!hasPicture) return null;
  const [first] = kept;
  const isExtended = first?.name === 'VP8X' && first.content.length > 0;
  const exif = isExtended && orientation !== null ? [webpChunk('EXIF', exifOf(orientation))] : [];
  if (isExtended) {
    const content = Buffer.from(first.content);
    content[0] = ((content[0] ?? 0) & ~(exifFlag | xmpFlag)) | (exif.length > 0 ? exifFlag : 0);
    first.content = content;
  }
  const body = Buffer.concat([...kept.map(({ name, content }) => webpChunk(name, content)), ...exif]);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
}

type Chunk = { name: string; content: Buffer };

function readChunks(image: Buffer, start: number) {
  const kept: Chunk[] = [];
  let orientation: number | null = null;
  let hasPicture = false;
  for (let place = start; place + 8 <= image.length; ) {
    const length = image.readUInt32LE(place + 4);
    const end = place + 8 + length;
    if (end > image.length) break;
    const name = image.toString('latin1', place, place + 4);
    const content = image.subarray(place + 8, end);
    if (name === 'EXIF') orientation ??= orientationIn(content) ?? orientationOf(content);
    if (name === 'ANMF') {
      const frame = readChunks(content, frameHeadBytes).kept.map((part) =>
        webpChunk(part.name, part.content),
      );
      kept.push({ name, content: Buffer.concat([content.subarray(0, frameHeadBytes), ...frame]) });
    } else if (webpKept.has(name)) kept.push({ name, content });
    hasPicture ||= webpPictures.has(name);
    place = end + (length % 2);
  }
  return { kept, orientation, hasPicture };
}

function webpChunk(name: string, content: Buffer): Buffer {
  const head = Buffer.from(`${name}\0\0\0\0`, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

// --- Exif: a TIFF file whose first directory may say how the picture is to be turned.

const orientationTag = 0x0112;
const [upright, orientationMax] = [1, 8];

/** Of content with the label of Exif before it. */
function orientationIn(content: Buffer): number | null {
  const isExif = content.subarray(0, exifLabel.length).equals(exifLabel);
  return isExif ? orientationOf(content.subarray(exifLabel.length)) : null;
}

/** 2 to 8; null: the picture is upright, or the directory cannot be read. */
function orientationOf(tiff: Buffer): number | null {
  const order = tiff.toString('latin1', 0, 2);
  if (tiff.length < 10 || (order !== 'II' && order !== 'MM')) return null;
  const isLittle = order === 'II';
  const short = (place: number) => (isLittle ? tiff.readUInt16LE(place) : tiff.readUInt16BE(place));
  const directory = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return null;
  const count = short(directory);
  for (let entry = 0; entry < count; entry += 1) {
    const place = directory + 2 + 12 * entry;
    if (place + 12 > tiff.length) return null;
    if (short(place) !== orientationTag) continue;
    const value = short(place + 8);
    return value > upright && value <= orientationMax ? value : null;
  }
  return null;
}

/** A directory with the orientation alone. */
function exifOf(orientation: number): Buffer {
  const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  tiff.writeUInt16BE(orientation, 18);
  return tiff;
}
