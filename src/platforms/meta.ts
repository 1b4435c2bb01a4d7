/**
 * The common parts of Messenger, Instagram and WhatsApp: the signature, the handshake, the list of entries, ids and times.
 *
 * Every delivery of Meta is `{object, entry: [{id, time?, …}]}`; messaging.ts and whatsapp.ts read the entries. Manual: "Webhooks:
 * getting started" of the Graph API, and each platform's webhook pages.
 */
import { hash } from 'node:crypto';
import { isObject, type JsonObject } from '../json.ts';
import { firstTime } from '../time.ts';
import { readEach, readId, readMs, Unreadable } from './delivery.ts';
import type { ParsedDelivery, ParsedEvent } from './reader.ts';
import { isSameSecret, type SignatureForm } from './signature.ts';

// The older x-hub-signature is SHA-1 and is ignored.
export const metaSignature: SignatureForm = {
  header: 'x-hub-signature-256',
  prefix: 'sha256=',
  encoding: 'hex',
};

// Times below this are seconds: as milliseconds it would be March 1973.
const secondsBelow = 100_000_000_000;
const depthMax = 100;
const digits = /^\d{1,16}$/;
const challengeLengthMax = 1_000;

/** The time (ms) of an event that no clock dates and no figure counts; fixed, so that a replay gives the same event. */
export const undatedAt = firstTime;

/**
 * The challenge to answer Meta's `GET` with, as the plain body; null when the query is no handshake or its token is not the
 * channel's: answer 403. Compares in constant time. Safe to repeat.
 */
export function verifyHandshake(
  query: Readonly<Record<string, unknown>>,
  verifyToken: string,
): string | null {
  const { 'hub.mode': mode, 'hub.verify_token': token, 'hub.challenge': challenge } = query;
  if (mode !== 'subscribe' || typeof token !== 'string' || typeof challenge !== 'string') return null;
  if (challenge === '' || challenge.length > challengeLengthMax) return null;
  return isSameSecret(token, verifyToken) && verifyToken !== '' ? challenge : null;
}

/** Reads each entry of a delivery about one of the objects. */
export function readEntries(
  root: JsonObject,
  objects: readonly string[],
  delivery: ParsedDelivery,
  read: (entry: JsonObject, place: string) => void,
): void {
  if (!objects.some((object) => object === root.object)) {
    throw new Unreadable(`object: expected ${objects.map((object) => `"${object}"`).join(' or ')}`);
  }
  readEach(root.entry, 'entry', delivery, read);
}

/** As readId; some of Meta's ids come as numbers. */
export function readMetaId(value: unknown, name: string): string | null {
  return readId(typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value, name);
}

/** As readMetaId, and throws Unreadable when the id is absent. */
export function requireMetaId(value: unknown, name: string): string {
  const id = readMetaId(value, name);
  if (id === null) throw new Unreadable(`no ${name}`);
  return id;
}

/**
 * A time in ms, from a number of ms or s, or a text of such a number: Messenger and Instagram send ms, and s in a few places,
 * WhatsApp a text of s. Worked example: `"1772434837"` is 1,772,434,837,000. Throws Unreadable for anything else.
 */
export function readTime(value: unknown, name: string): number {
  const number = typeof value === 'string' && digits.test(value) ? Number(value) : value;
  return readMs(typeof number === 'number' && number < secondsBelow ? number * 1_000 : number, name);
}

/** As readTime, for events that no figure counts: `undatedAt` when there is no time. */
export function readTimeOrNone(value: unknown, name: string): number {
  return value === undefined || value === null ? undatedAt : readTime(value, name);
}

/** An event without a person and without an id: its key is the hash of its content. */
export function anonymousEvent(
  name: string,
  content: unknown,
  { kind, detail, happenedAt }: Pick<ParsedEvent, 'kind' | 'detail' | 'happenedAt'>,
): ParsedEvent {
  const key = `${name}:${fingerprint(content)}`;
  return { key, kind, detail, contact: null, contactAlias: null, happenedAt };
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
