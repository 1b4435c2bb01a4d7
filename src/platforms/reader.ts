/**
 * The interface of a platform module, which verifies and reads deliveries.
 *
 * Pure code: no database, no clock, no settings. In: raw bytes, headers, the channel's secrets and account id. Out: parsed events, and
 * the problems of unreadable parts. event.ts defines which events count.
 */
import type { EventKind } from './event.ts';
import type { PlatformName, WebhookPlatformName } from './platform.ts';
import type { SignatureForm } from './signature.ts';

/** An event as its platform reports it. */
export type ParsedEvent = {
  /** The same whenever the platform sends the event again; unique within (bot, platform). */
  key: string;
  kind: EventKind;
  /** The platform's own type (`text`, `read`, …), or for `ignored` the reason. Never message text, never a person's data. */
  detail: string | null;
  /** The person of a one-to-one event, by the platform's id; null for groups and for events without a person. */
  contact: string | null;
  /** A second id of the same person (WhatsApp: user id in addition to telephone number); else null. */
  contactAlias: string | null;
  /** The platform's clock, ms since 1970. */
  happenedAt: number;
};

/** The events of a delivery, and one line for each unreadable part. A delivery with problems is set aside, too. */
export type ParsedDelivery = { events: ParsedEvent[]; problems: string[] };

/** The members of a platform's deliveries that name people. */
export type PersonFields = {
  /** Members that hold an id of a person, a list of ids, or an object of ids. */
  ids: ReadonlySet<string>;
  /** Members that hold an object, or a list of objects, whose `id` is a person's. */
  parties: ReadonlySet<string>;
  /** Lists from which single items can be removed; the rest of the body stays readable. */
  lists: ReadonlySet<string>;
  /** The account's own ids, which appear in the same members. */
  accountIds(root: unknown): unknown[];
  /** The stored spelling of an id. */
  normal(id: string): string;
  /** Finds ids in a body that is no JSON. */
  spelling: RegExp;
};

/** Reads a platform's deliveries. */
export type Reader = {
  name: PlatformName;
  /**
   * Reads a verified body. Never throws: a body that is not JSON, or not in the platform's form, has no events and a problem.
   * `accountId` null accepts any account. Entries for another account become `ignored` events.
   */
  parse(body: Uint8Array, accountId: string | null): ParsedDelivery;
  /** The members of a body that name people. */
  people: PersonFields;
  /** The form of a contact's id, and its description in error messages. */
  contactIds: { form: RegExp; expected: string };
};

/** A platform that delivers webhooks. */
export type Platform = Reader & {
  name: WebhookPlatformName;
  signature: SignatureForm;
};
