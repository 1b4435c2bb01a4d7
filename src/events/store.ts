/**
 * The store of events: each is appended once, for ever.
 *
 * An event whose key is known is dropped here, so that everything behind counts exactly once. One thing is taken from the
 * repetition: the earliest time told for the event is its time (WhatsApp tells a sent message by several statuses, in any
 * order), so a repetition with an earlier time moves the event.
 */
import type { Queryable } from '../database/database.ts';
import { numberList, textList } from '../database/lists.ts';
import type { PlatformName } from '../platforms/platform.ts';
import type { Event, EventKind } from './event.ts';

/** An event on its way in, its person not looked up yet. Times in ms. */
export type IncomingEvent = {
  platform: PlatformName;
  key: string;
  kind: EventKind;
  detail: string | null;
  contact: string | null;
  contactAlias: string | null;
  happenedAt: number;
  receivedAt: number;
};

/** What the store knows of an event already. */
export type KnownEvent = { kind: EventKind; contactId: string | null; happenedAt: number };

/** An event that is known, and now told with an earlier time. */
export type MovedEvent = { event: Event; from: number };

/** The batch's events, one for each key, with the earliest time told. */
export function withoutRepetitions(incoming: readonly IncomingEvent[]): IncomingEvent[] {
  const byKey = new Map<string, IncomingEvent>();
  for (const event of incoming) {
    const key = eventKey(event.platform, event.key);
    const same = byKey.get(key);
    if (!same || event.happenedAt < same.happenedAt) byKey.set(key, event);
  }
  return [...byKey.values()];
}

/** Looks up which of the events are known; keyed by `eventKey`. */
export async function knownEvents(
  sql: Queryable,
  botId: string,
  events: readonly IncomingEvent[],
): Promise<Map<string, KnownEvent>> {
  if (events.length === 0) return new Map();
  const rows = await sql<Omit<EventRow, 'detail'>[]>`
    select events.platform, events.key, events.kind, events.contact_id, events.happened_at
    from unnest(${textList(events.map((event) => event.platform))}::text[], ${textList(events.map((event) => event.key))}::text[])
      as asked (platform, key)
    cross join lateral (${byKey(sql, botId)}) events`;
  return new Map(
    rows.map((row) => [
      eventKey(row.platform, row.key),
      { kind: row.kind, contactId: row.contact_id, happenedAt: row.happened_at.getTime() },
    ]),
  );
}

// `limit 1` keeps the look-up by key a look-up by key: without statistics (a table that has just grown) the planner takes one
// bot's rows for few and would read them all.
function byKey(sql: Queryable, botId: string) {
  return sql`
    select * from events
    where events.bot_id = ${botId} and events.platform = asked.platform and events.key = asked.key limit 1`;
}

export function eventKey(platform: PlatformName, key: string): string {
  return `${platform} ${key}`;
}

/** Appends events that are not known. The caller holds the bot's lock and has looked them up. */
export async function appendEvents(
  sql: Queryable,
  botId: string,
  events: readonly (Event & { receivedAt: number })[],
): Promise<void> {
  if (events.length === 0) return;
  await sql`
    insert into events (bot_id, platform, key, kind, detail, contact_id, happened_at, received_at)
    select ${botId}, platform, key, kind, detail, contact_id,
      to_timestamp(happened_ms / 1000::float8), to_timestamp(received_ms / 1000::float8)
    from unnest(${textList(events.map((event) => event.platform))}::text[], ${textList(events.map((event) => event.key))}::text[],
      ${textList(events.map((event) => event.kind))}::text[], ${textList(events.map((event) => event.detail))}::text[],
      ${textList(events.map((event) => event.contactId))}::text[], ${numberList(events.map((event) => event.happenedAt))}::bigint[],
      ${numberList(events.map((event) => event.receivedAt))}::bigint[])
      as new (platform, key, kind, detail, contact_id, happened_ms, received_ms)`;
}

/** Gives known events their earlier time. */
export async function moveEvents(sql: Queryable, botId: string, moved: readonly MovedEvent[]): Promise<void> {
  if (moved.length === 0) return;
  await sql`
    update events set happened_at = to_timestamp(happened_ms / 1000::float8)
    from unnest(${textList(moved.map(({ event }) => event.platform))}::text[], ${textList(moved.map(({ event }) => event.key))}::text[],
      ${numberList(moved.map(({ event }) => event.happenedAt))}::bigint[]) as new (platform, key, happened_ms)
    where events.bot_id = ${botId} and events.platform = new.platform and events.key = new.key`;
}

/** A contact's events of the kinds, in order of time. */
export async function eventsOfContacts(
  sql: Queryable,
  botId: string,
  contactIds: readonly string[],
  kinds: readonly EventKind[],
): Promise<Event[]> {
  const rows = await sql<EventRow[]>`
    select platform, key, kind, detail, contact_id, happened_at from events
    where bot_id = ${botId} and contact_id = any(${textList(contactIds)}::text[])
      and kind = any(${textList(kinds)}::text[])
    order by contact_id, happened_at, key`;
  return rows.map(toEvent);
}

/** The messages of contacts between two instants (ms, inclusive) for each. */
export async function messagesBetween(
  sql: Queryable,
  botId: string,
  spans: readonly { contactId: string; from: number; to: number }[],
): Promise<Event[]> {
  const rows = await sql<EventRow[]>`
    select platform, key, kind, detail, events.contact_id, happened_at
    from unnest(${textList(spans.map((span) => span.contactId))}::text[], ${numberList(spans.map((span) => span.from))}::bigint[],
      ${numberList(spans.map((span) => span.to))}::bigint[]) as span (contact_id, from_ms, to_ms)
    join events on events.bot_id = ${botId} and events.contact_id = span.contact_id
      and happened_at between to_timestamp(from_ms / 1000::float8) and to_timestamp(to_ms / 1000::float8)
      and kind in ('message-in', 'message-out')`;
  return rows.map(toEvent);
}

type EventRow = {
  platform: PlatformName;
  key: string;
  kind: EventKind;
  detail: string | null;
  contact_id: string | null;
  happened_at: Date;
};

function toEvent(row: EventRow): Event {
  return {
    platform: row.platform,
    key: row.key,
    kind: row.kind,
    detail: row.detail,
    contactId: row.contact_id,
    happenedAt: row.happened_at.getTime(),
  };
}
