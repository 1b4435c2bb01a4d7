/**
 * Fields of foreign JSON: whatever a platform module takes out of a delivery is read here.
 *
 * In: values as JSON.parse gave them. Out: ids, times and words that PostgreSQL can store and an index can hold. A field that
 * is there but cannot be read throws Unreadable; its message names the field and what was expected, never what came, for
 * that may be a person's. `readEach` (delivery.ts) makes a problem of it, so that it never leaves this folder.
 */
import { hash } from 'node:crypto';
import { firstTime, isTime } from '../time.ts';

export type JsonObject = { readonly [name: string]: unknown };

/** A part of a delivery is not what the platform documents. */
export class Unreadable extends Error {}

// WhatsApp's user ids may have 256 characters. Keys hold up to two ids of up to 3 bytes a character, and a row of a
// PostgreSQL index at most 2,704 bytes.
const idLengthMax = 300;
const wordLengthMax = 64;
const depthMax = 100;

/** The time (ms) of what no figure counts and no clock dates; fixed, so that a replay gives the same event. */
export const undatedAt = firstTime;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object; throws Unreadable for anything else. */
export function requireObject(value: unknown, name: string): JsonObject {
  if (!isObject(value)) throw new Unreadable(`${name}: expected an object`);
  return value;
}

/**
 * An id of at most 300 characters; null when absent or empty. Throws Unreadable when it is no text, too long, or holds what
 * PostgreSQL cannot store as text (NUL, half a surrogate pair).
 */
export function readId(value: unknown, name: string): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (
    typeof value !== 'string' ||
    value.length > idLengthMax ||
    value.includes('\0') ||
    !value.isWellFormed()
  ) {
    throw new Unreadable(`${name}: expected an id of at most ${idLengthMax} characters`);
  }
  return value;
}

/** As readId, and throws Unreadable when there is none. */
export function requireId(value: unknown, name: string): string {
  const id = readId(value, name);
  if (id === null) throw new Unreadable(`no ${name}`);
  return id;
}

/** Whole milliseconds since 1970 in the years 2000 to 2199; throws Unreadable for anything else. */
export function readMs(value: unknown, name: string): number {
  if (!isTime(value) || !Number.isInteger(value)) {
    throw new Unreadable(`${name}: expected a time in the years 2000 to 2199`);
  }
  return value;
}

/** A platform's own word for something, cut to 64 characters, without control characters; null when it is no text. */
export function readWord(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  // \p{C} also takes the half of a surrogate pair that the cut may leave.
  return value.slice(0, wordLengthMax).replace(/\p{C}/gu, '') || null;
}

/**
 * A short hash (132 bits) of a JSON value, the same for any order of names and any white space.
 * Throws Unreadable when the value is nested deeper than 100 levels.
 */
export function fingerprint(value: unknown): string {
  return hash('sha256', canonicalJson(value, 0), 'base64url').slice(0, 22);
}

function canonicalJson(value: unknown, depth: number): string {
  if (depth > depthMax) throw new Unreadable(`nested deeper than ${depthMax} levels`);
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => canonicalJson(item, depth + 1)).join(',')}]`;
  }
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name], depth + 1)}`);
  return `{${members.join(',')}}`;
}
