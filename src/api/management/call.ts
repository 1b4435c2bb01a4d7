/**
 * What an operation of the management API is given and gives. The contract has been checked by then: the reading here turns
 * what was sent into types and never has to refuse.
 */
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { Caller } from '../../auth/caller.ts';
import type { Keys } from '../../auth/keys.ts';
import type { Bot } from '../../bots/bots.ts';
import { findByAnyIds } from '../../contacts/contacts.ts';
import type { Queryable, Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { entityTagOf, namesTag } from '../../http/entity-tag.ts';
import { isObject, isStorable, type JsonObject, textOf } from '../../json.ts';
import type { CallLimit } from '../../line/collector/call-limit.ts';
import { type PlatformName, platformNames } from '../../platforms/platform.ts';
import type { Random } from '../../random.ts';
import { addDays, type Clock, dayOf, dayStart, isTimeZone } from '../../time.ts';
import type { Gate } from '../../webhooks-out/addresses.ts';

export type ManagementSources = {
  sql: Sql;
  keys: Keys;
  clock: Clock;
  random: Random;
  /** Which callback addresses may be set. */
  gate: Gate;
  /** The limit of calls to LINE with which the collector works. */
  collectLimit: CallLimit;
  log: Pick<Logger, 'error' | 'info'>;
};

export type ManagementCall = {
  /** A bug where the contract asks for none. */
  readonly caller: Caller;
  browser: Browser;
  /** The bot of the path, which the caller may use. A bug when the path names none. */
  readonly bot: Bot;
  params: JsonObject;
  query: JsonObject;
  body: JsonObject;
  /** The header `If-Match`; null: none was sent. */
  ifMatch: string | null;
  /** The header `Idempotency-Key`. A bug where the contract does not ask for it. */
  readonly idempotencyKey: string;
  /** Says in the header `Idempotency-Replayed` whether the answer is that of an earlier call with the same key. */
  tellReplayed(replayed: boolean): void;
  /** The body of an operation that takes a file, with its media type; null: it takes none. */
  upload: { type: string; bytes: Uint8Array } | null;
};

/** What called, as far as sessions go. */
export type Browser = {
  address: string;
  /** What its cookie holds; null: nothing. */
  sessionToken: string | null;
  /** Makes its cookie hold this with the answer; null: nothing any more. */
  hold(sessionToken: string | null): void;
};

/** An answer that is written while it is read. */
export type Download = {
  /** Its Content-Type. */
  type: string;
  fileName: string;
  /** Begins it; a call that only asks for the headers never does. */
  open(): Promise<Readable>;
};

export function isDownload(value: unknown): value is Download {
  return isObject(value) && typeof value.open === 'function';
}

/** An answer 202: the work goes on, and the address says how far it is. */
export class Accepted {
  readonly location: string;
  readonly body: JsonObject;

  constructor(location: string, body: JsonObject) {
    this.location = location;
    this.body = body;
  }
}

/** Gives the body of the success answer, or a download; bytes go out as they are, undefined as no body. */
export type ManagementOperation = (call: ManagementCall) => Promise<unknown>;
export type ManagementOperations = Record<string, ManagementOperation>;

/** Refuses when the caller has seen another state of what is to be changed than the current one. */
export function checkMatch({ ifMatch }: ManagementCall, current: unknown, what: string): void {
  if (ifMatch === null || namesTag(ifMatch, entityTagOf(current), { weakToo: false })) return;
  throw new Refusal('PRECONDITION_FAILED', `${what} is no longer as If-Match says.`);
}

export function contactIdOf({ params }: ManagementCall): string {
  return String(params.contactId);
}

const unknownShown = 5;

/**
 * The contacts behind ids of any kind, in their order. Throws Refusal CONTACT_NOT_FOUND, naming some of those that lead to
 * nobody, or not to one.
 */
export async function findAllContacts(
  sql: Queryable,
  botId: string,
  ids: readonly string[],
): Promise<string[]> {
  const found = await findByAnyIds(sql, botId, [...new Set(ids)]);
  const unknown = ids.filter((id) => !found.has(id));
  if (unknown.length === 0) return ids.flatMap((id) => found.get(id) ?? []);
  const shown = unknown.slice(0, unknownShown).map((id) => JSON.stringify(id));
  const more = unknown.length > unknownShown ? ` and ${unknown.length - unknownShown} more` : '';
  throw new Refusal(
    'CONTACT_NOT_FOUND',
    `The bot knows no contact, or several, by ${shown.join(', ')}${more}. Nothing was changed.`,
  );
}

/** The zone that is asked for, else the bot's. Throws Refusal INPUT_INVALID for a name that there is not. */
export function zoneOf({ bot, query }: ManagementCall): string {
  const zone = textOf(query.zone) ?? bot.timeZone;
  if (isTimeZone(zone)) return zone;
  throw new Refusal('INPUT_INVALID', `zone must be a name such as Asia/Taipei, not ${JSON.stringify(zone)}.`);
}

/**
 * The days asked for, in a zone; left out: so many up to today. Throws Refusal INPUT_INVALID for none, or more than `daysMax`.
 */
export function daysOf(
  { query }: ManagementCall,
  {
    zone,
    now,
    daysShown = daysShownUsually,
    daysMax,
  }: { zone: string; now: number; daysShown?: number; daysMax?: number },
): { zone: string; from: string; to: string } {
  const to = textOf(query.to) ?? dayOf(now, zone);
  const from = textOf(query.from) ?? addDays(to, 1 - daysShown);
  if (from > to) throw new Refusal('INPUT_INVALID', `from must not lie after to, ${to}.`);
  if (daysMax !== undefined && addDays(from, daysMax) <= to) {
    throw new Refusal('INPUT_INVALID', `from must lie at most ${daysMax - 1} days before to, ${to}.`);
  }
  return { zone, from, to };
}

const daysShownUsually = 30;

/** The instants (ms) at which the days begin, and at which they are over. */
export function instantsOf({ zone, from, to }: { zone: string; from: string; to: string }): {
  from: number;
  until: number;
} {
  return { from: dayStart(from, zone), until: dayStart(addDays(to, 1), zone) };
}

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoOf(ms);
}

/** The instant (ms) of a text of ISO 8601; null for what was left out. */
export function instantOf(value: unknown): number | null {
  return typeof value === 'string' ? Date.parse(value) : null;
}

export function platformOf(value: unknown): PlatformName | null {
  return platformNames.find((name) => name === value) ?? null;
}

/** The known ones among what was sent, in the order sent; undefined for what was left out. */
export function namesOf<Name extends string>(value: unknown, known: readonly Name[]): Name[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((item) => known.find((name) => name === item) ?? []);
}

export function textsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

const pageSize = 50;

/** How many a page is to have. */
export function limitOf({ limit }: JsonObject): number {
  return typeof limit === 'number' ? limit : pageSize;
}

/**
 * The place that a cursor stands for; null: none was sent. Throws Refusal INPUT_INVALID for one that was not given out. A cursor
 * says where a page ended and opens nothing, so it is not signed.
 */
export function readCursor<Place>(
  { cursor }: JsonObject,
  toPlace: (value: JsonObject) => Place | null,
): Place | null {
  if (cursor === undefined) return null;
  const place = toPlace(decode(String(cursor)));
  if (place !== null) return place;
  throw new Refusal('INPUT_INVALID', 'cursor in the query must be one that an answer gave as nextCursor');
}

/** The cursor behind the last of a page; null: it was the last page. One more than the page has is read to know that. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => JsonObject,
): { rows: Row[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const isLast = rows.length <= limit || last === undefined;
  return { rows: shown, nextCursor: isLast ? null : toCursor(placeOf(last)) };
}

/** A place as the caller is to give it back. */
export function toCursor(place: JsonObject): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function decode(cursor: string): JsonObject {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return isObject(place) && isStorable(place) ? place : {};
  } catch {
    return {};
  }
}
