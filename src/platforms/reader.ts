/**
 * The interface of a platform module: how a delivery is verified, and how it is read.
 *
 * Pure code: no database, no clock, no settings. In: raw bytes, headers, the channel's secrets and account id. Out:
 * parsed events, and the problems of entries that could not be read. Which events count is defined in event.ts.
 */
import type { EventKind } from './event.ts';
import type { PlatformName, WebhookPlatformName } from './platform.ts';

/** One thing that happened, as its platform tells it. */
export type ParsedEvent = {
  /** The same whenever the platform sends the event again; unique within (bot, platform). */
  key: string;
  kind: EventKind;
  /** The platform's own type (`text`, `read`, …), or for `ignored` the reason. Never message text, never a person's data. */
  detail: string | null;
  /** The person of a one-to-one event, by the platform's id; null for groups and for events without a person. */
  contact: string | null;
  /** A second id of the same person that came beside the first (WhatsApp: user id beside telephone number); else null. */
  contactAlias: string | null;
  /** The platform's clock, ms since 1970. */
  happenedAt: number;
};

/** What a delivery holds: its events, and one line for each part that could not be read (then it is set aside, too). */
export type ParsedDelivery = { events: ParsedEvent[]; problems: string[] };

/** Where the deliveries of one platform name people. */
export type PersonFields = {
  /** Members that hold an id of a person, a list of ids, or an object of ids. */
  ids: ReadonlySet<string>;
  /** Members that hold an object, or a list of objects, whose `id` is a person's. */
  parties: ReadonlySet<string>;
  /** Lists whose items can be dropped one by one; the rest of the body stays readable. */
  lists: ReadonlySet<string>;
  /** The account's own ids, which appear in the same members. */
  accountIds(root: unknown): unknown[];
  /** The form in which ids are stored. */
  normal(id: string): string;
  /** Finds ids in a body that is no JSON. */
  spelling: RegExp;
};

/** How a platform's deliveries are read. */
export type Reader = {
  name: PlatformName;
  /**
   * Reads a verified body. Never throws: a body that is not JSON, or not the platform's shape, gives no events and a problem.
   * `accountId` null means that any account is the channel's. Entries for another account become `ignored` events.
   */
  parse(body: Uint8Array, accountId: string | null): ParsedDelivery;
  /** The members of a body that name people. */
  people: PersonFields;
  /** The form of a contact's id, and its description for a person who wrote another. */
  contactIds: { form: RegExp; expected: string };
};

/** A platform that delivers to us from outside. */
export type Platform = Reader & {
  name: WebhookPlatformName;
  /** Lower-case name of the header that carries the signature. */
  signatureHeader: string;
  /**
   * True when the header value is the platform's signature over exactly these bytes under one of the secrets. Compares in
   * constant time; a missing, malformed or repeated header is false.
   */
  verify(body: Uint8Array, header: string | string[] | undefined, secrets: readonly string[]): boolean;
};
