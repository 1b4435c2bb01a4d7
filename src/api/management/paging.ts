/**
 * Lists page by page. A cursor holds the place where a page ended. It opens nothing, so it is not signed.
 */
import { Refusal } from '../../errors.ts';
import { isObject, isStorable, type JsonObject } from '../../json.ts';

/** A page's size, and the place of the last row before it (null: the first page). */
type PageRequest<Place> = { after: Place | null; limit: number };

/**
 * Reads one page. `toPlace` checks the place of a cursor and takes it from a row. Throws Refusal INPUT_INVALID for a cursor that no
 * answer has returned.
 */
export async function readPage<Place extends JsonObject, Row extends JsonObject>(
  { cursor, limit }: { cursor?: string; limit: number },
  toPlace: (value: JsonObject) => Place | null,
  read: (page: PageRequest<Place>) => Promise<readonly Row[]>,
): Promise<{ rows: Row[]; nextCursor: string | null }> {
  // One row more than the page has shows whether there is a next page.
  const allRows = await read({ after: readCursor(cursor, toPlace), limit: limit + 1 });
  const rows = allRows.slice(0, limit);
  const last = rows.at(-1);
  const place = allRows.length <= limit || last === undefined ? null : toPlace({ ...last });
  return { rows, nextCursor: place && toCursor(place) };
}

/** The place of a cursor, or null without one. Throws Refusal INPUT_INVALID for a cursor that no answer has returned. */
export function readCursor<Place>(
  cursor: string | undefined,
  toPlace: (value: JsonObject) => Place | null,
): Place | null {
  if (cursor === undefined) return null;
  const place = toPlace(decode(cursor));
  if (place !== null) return place;
  throw new Refusal('INPUT_INVALID', 'cursor in the query must be the nextCursor of an answer');
}

export function toCursor(place: JsonObject): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Takes a place from a row or a cursor: null unless every member passes its check. A cursor holds a date in milliseconds. */
export function cursorPlace<Place extends JsonObject>(
  checks: {
    [Name in keyof Place]: (value: unknown) => value is Place[Name];
  },
): (value: JsonObject) => Place | null {
  return (value) => {
    const members = Object.keys(checks).map((name) => {
      const { [name]: member } = value;
      return [name, member instanceof Date ? member.getTime() : member] as const;
    });
    return members.every(([name, member]) => checks[name]?.(member))
      ? (Object.fromEntries(members) as Place)
      : null;
  };
}

/** True for a number that identifies a row. */
export function isSerial(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** True for an id of a bot or contact: letters only. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z]{1,64}$/.test(value);
}

/** True for a whole number as text, within a bigint. */
export function isDigits(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,18}$/.test(value);
}

function decode(cursor: string): JsonObject {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return isObject(place) && isStorable(place) ? place : {};
  } catch {
    return {};
  }
}
