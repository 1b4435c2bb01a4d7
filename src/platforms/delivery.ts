/**
 * Reads deliveries: from the raw body to its items, and from an item to its fields.
 *
 * In: bytes whose signature is valid. Out: a ParsedDelivery that the platform modules fill, with ids, times and words that PostgreSQL
 * can store and an index can hold. Each item is read on its own, so an unreadable one becomes a problem and the others still count.
 * A problem names the field and the expected form, never the value, which may be personal data.
 */
import { isObject, type JsonObject } from '../json.ts';
import { isTime } from '../time.ts';
import type { ParsedDelivery, ParsedEvent } from './reader.ts';

/** A part of a delivery differs from the platform's documentation. Never leaves this folder: readEach makes a problem of it. */
export class Unreadable extends Error {}

const problemsMax = 20;
// WhatsApp's user ids may have 256 characters. Keys hold up to two ids of up to 3 bytes a character, and a row of a
// PostgreSQL index at most 2,704 bytes.
const idLengthMax = 300;
const wordLengthMax = 64;

// Also removes a byte-order mark, which JSON.parse would refuse.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a body with `read`. A body that is no JSON object gives a problem and no events. Never throws. */
export function readDelivery(
  body: Uint8Array,
  read: (root: JsonObject, delivery: ParsedDelivery) => void,
): ParsedDelivery {
  const delivery: ParsedDelivery = { events: [], problems: [] };
  attempt(delivery, 'body', () => read(parseJson(body), delivery));
  return delivery;
}

/** Reads each object of a list; one that cannot be read becomes a problem with its place. The size of the body is the bound. */
export function readEach(
  list: unknown,
  place: string,
  delivery: ParsedDelivery,
  read: (item: JsonObject, place: string) => void,
): void {
  if (!Array.isArray(list)) {
    addProblem(delivery, `${place}: expected an array`);
    return;
  }
  list.forEach((item: unknown, index) => {
    const itemPlace = `${place}[${index}]`;
    attempt(delivery, itemPlace, () => {
      if (!isObject(item)) throw new Unreadable('expected an object');
      read(item, itemPlace);
    });
  });
}

/** The detail of ignored events of another account. */
export const otherAccount = 'other account';

/**
 * The event as the channel of `accountId` counts it. An event of another account counts nothing and names no person. Its key includes
 * that account, because ids are unique only within an account, and so that the event still counts once the channel's account id is
 * corrected. Null: the delivery has no account, or the channel accepts any.
 */
export function forChannel(
  event: ParsedEvent,
  account: string | null,
  accountId: string | null,
): ParsedEvent {
  if (account === null || accountId === null || account === accountId) return event;
  return {
    key: `other account:${account}:${event.key}`,
    kind: 'ignored',
    detail: otherAccount,
    contact: null,
    contactAlias: null,
    happenedAt: event.happenedAt,
  };
}

function attempt(delivery: ParsedDelivery, place: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    addProblem(delivery, `${place}: ${error.message}`);
  }
}

function addProblem({ problems }: ParsedDelivery, problem: string): void {
  if (problems.length < problemsMax) problems.push(problem);
  else if (problems.length === problemsMax) problems.push('and more');
}

function parseJson(body: Uint8Array): JsonObject {
  let root: unknown;
  try {
    root = JSON.parse(utf8.decode(body));
  } catch {
    throw new Unreadable('expected JSON in UTF-8');
  }
  if (!isObject(root)) throw new Unreadable('expected a JSON object');
  return root;
}

/** The object; throws Unreadable for anything else. */
export function requireObject(value: unknown, name: string): JsonObject {
  if (!isObject(value)) throw new Unreadable(`${name}: expected an object`);
  return value;
}

/**
 * An id of at most 300 characters; null when absent or empty. Throws Unreadable when it is no text, too long, or holds characters
 * that PostgreSQL cannot store (NUL, half a surrogate pair).
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

/** As readId, and throws Unreadable when the id is absent. */
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

/** A word of the platform, cut to 64 characters, without control characters; null when it is no text. */
export function readWord(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  // \p{C} also removes the half of a surrogate pair that the cut may leave.
  return value.slice(0, wordLengthMax).replace(/\p{C}/gu, '') || null;
}
