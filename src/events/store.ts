/**
 * The store of events: each is appended once, for ever.
 *
 * Several deliveries can report one event: a redelivery, or the statuses of a WhatsApp message. The stored event is the
 * combination of all reports of its key: the earliest time of any of them, and everything else from the report that ranks
 * first (`ranksBefore`). The combination does not depend on order, repetition or batching. A report that changes nothing is a
 * duplicate and is dropped.
 */
import type { Fragment, Queryable, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import { type Event, type EventKind, eventKinds } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';

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
  /** The delivery that told of it; null: the business did. */
  deliveryId: number | null;
};

/** What one delivery says about an event, apart from its key. */
export type Report = Pick<IncomingEvent, 'kind' | 'detail' | 'contact' | 'happenedAt'>;

/** A stored event as the combination of its reports so far. `forgotten`: its person was forgotten. */
export type KnownEvent = Report & { forgotten: boolean };

/** A stored event that a new report has changed; `namedAs` as in the table. */
export type ChangedEvent = Event & { namedAs: string | null };

/**
 * True when the event takes its kind, person and detail from `report` and not from `other`. The order of `eventKinds` decides,
 * so a received message wins over a sent one with the same id. Then a named person wins over none, and the smaller id over the
 * larger one.
 */
function ranksBefore(report: Report, other: Report): boolean {
  const order =
    eventKinds.indexOf(report.kind) - eventKinds.indexOf(other.kind) ||
    compareNullable(report.contact, other.contact) ||
    compareNullable(report.detail, other.detail);
  return order < 0;
}

function compareNullable(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  return b === null || a < b ? -1 : 1;
}

/** True when a further report changes the event. */
export function isChangedBy(event: Report, report: Report): boolean {
  return report.happenedAt < event.happenedAt || ranksBefore(report, event);
}

/** The event after both reports. Commutative, associative and idempotent. */
export function combine({ kind, detail, contact, happenedAt }: Report, report: Report): Report {
  const first = { kind, detail, contact, happenedAt };
  const ranked = ranksBefore(report, first) ? report : first;
  return {
    kind: ranked.kind,
    detail: ranked.detail,
    contact: ranked.contact,
    happenedAt: Math.min(happenedAt, report.happenedAt),
  };
}

/** The batch's events, one for each key. */
export function withoutRepetitions(incoming: readonly IncomingEvent[]): IncomingEvent[] {
  const byKey = new ByPlatform<IncomingEvent>();
  for (const event of incoming) {
    const { platform, key } = event;
    const same = byKey.get(platform, key);
    if (!same) byKey.set(platform, key, event);
    else if (isChangedBy(same, event)) byKey.set(platform, key, { ...same, ...combine(same, event) });
  }
  return byKey.values();
}

/** Looks up which of the events are known, by their keys. */
export async function knownEvents(
  sql: Queryable,
  botId: string,
  events: readonly IncomingEvent[],
): Promise<ByPlatform<KnownEvent>> {
  const known = new ByPlatform<KnownEvent>();
  const ofPlatforms = Map.groupBy(events, ({ platform }) => platform);
  await Promise.all(
    [...ofPlatforms].map(async ([platform, told]) => {
      const keys = told.map(({ key }) => key);
      const rows = await sql<KnownRow[]>`${knownRows(sql, { botId, platform, keys })}`;
      for (const { key, happened_at: happenedAt, ...row } of rows)
        known.set(platform, key, { ...row, happenedAt: happenedAt.getTime() });
    }),
  );
  return known;
}

type KnownRow = Pick<EventRow, 'key' | 'happened_at'> & Omit<KnownEvent, 'happenedAt'>;

/** The query for the rows of the keys that are known. */
export function knownRows(
  sql: Queryable,
  { botId, platform, keys }: { botId: string; platform: PlatformName; keys: readonly string[] },
): Fragment {
  // From PostgreSQL 17 on one walk through the index finds all keys of a list, in a tenth of the time of single look-ups. Before,
  // the planner takes the list for a filter and reads all events of the bot.
  const atOnce = sql`current_setting('server_version_num')::integer >= 170000`;
  const hasForgotten = sql`exists (select from contacts where bot_id = ${botId} and forgotten_at is not null)`;
  const found = sql`kind, detail, coalesce(named_as, contact_id) as named_as, happened_at`;
  // A comparison with one key is an index look-up on every version. The limit keeps it one: without statistics (a table that has
  // just grown) the planner takes one bot's rows for few and would read them all.
  const lookUp = (key: Fragment) => sql`
    select asked.key, events.key as kept_key, ${found}
    from told, unnest(keys) as asked (key) cross join lateral (
      select * from events where bot_id = ${botId} and platform = ${platform} and events.key = ${key} limit 1
    ) events`;
  return sql`
    with told as not materialized (select ${textList(keys)}::text[] as keys)
    select asked.key, kind, detail, happened_at, named.platform_contact_id as contact,
      asked.key <> asked.kept_key or named.forgotten_at is not null as forgotten
    from (
      select key, key as kept_key, ${found} from told, events
      where bot_id = ${botId} and platform = ${platform} and key = any (keys) and ${atOnce}
      union all ${lookUp(sql`asked.key`)} where not ${atOnce}
      union all ${lookUp(namelessKey(sql, 'asked.key'))} where ${hasForgotten}
    ) asked
    left join lateral (
      select platform_contact_id, forgotten_at from contacts
      where contacts.bot_id = ${botId} and contacts.contact_id = asked.named_as limit 1
    ) named on true`;
}

/** For queries: what stands in the place of a key that names a person who was forgotten. A repetition of the event leads to it. */
export function namelessKey(sql: Queryable, column: string) {
  return sql`('forgotten:' || encode(sha256(convert_to(${sql(column)}, 'UTF8')), 'hex'))`;
}

/**
 * Hands one contact's events to another that is anonymous, and takes the person's ids out of their keys, and out of those of
 * events without a contact. The caller holds the bot's lock. Safe to repeat.
 *
 * Live chat's keys hold the visitor. WhatsApp's message ids hold the telephone number in base64. Messenger's and Instagram's keys
 * of what has no id of its own hold the sender. LINE's ids hold nothing of a person and stay: of two events of the same time the
 * larger key decides about a block.
 */
export async function anonymizeEvents(
  tx: Transaction,
  {
    botId,
    platform,
    fromContactId,
    toContactId,
    ids,
  }: { botId: string; platform: PlatformName; fromContactId: string; toContactId: string; ids: string[] },
): Promise<void> {
  const hasSender = tx`substring(events.key from ${senderInKey}) = any (${textList(ids)}::text[])`;
  await tx`
    update events set contact_id = ${toContactId}, named_as = null,
      key = case when platform in ('whatsapp', 'liveChat') or ${hasSender} then ${namelessKey(tx, 'events.key')} else key end
    where bot_id = ${botId} and contact_id = ${fromContactId}`;
  if (platform === 'line' || platform === 'liveChat') return;
  const isNamed =
    platform === 'whatsapp'
      ? tx`events.key = any (${textList(await keysWithNumber(tx, botId, ids))}::text[])`
      : hasSender;
  await tx`
    update events set key = ${namelessKey(tx, 'events.key')}
    where bot_id = ${botId} and platform = ${platform} and platform <> 'line' and contact_id is null and ${isNamed}`;
}

/** The sender in a key such as `read:<sender>:<time>:<hash>` (platforms/messaging.ts). */
const senderInKey = '^(?:other account:[^:]*:)?[a-z_]+:(.*):(?:-|[0-9]+):[A-Za-z0-9_-]{22}$';

/** The keys of WhatsApp's events without a contact whose message id has one of the telephone numbers in its base64. */
async function keysWithNumber(tx: Transaction, botId: string, ids: readonly string[]): Promise<string[]> {
  const numbers = ids.filter((id) => /^\d+$/.test(id));
  const rows = await tx<{ key: string }[]>`
    select key from events
    where bot_id = ${botId} and platform = 'whatsapp' and platform <> 'line' and contact_id is null
      and exists (
        select from ${rowTable(tx, 'part', numbers.flatMap(base64Parts), { text: ['text', (text) => text] })}
        where strpos(events.key, part.text) > 0)`;
  return rows.map(({ key }) => key).filter((key) => numbers.some((number) => holdsNumber(key, number)));
}

function holdsNumber(key: string, number: string): boolean {
  const bytes = Buffer.from(/wamid\.([^:]*)/.exec(key)?.[1] ?? '', 'base64').toString('latin1');
  return new RegExp(`(?<!\\d)${number}(?!\\d)`).test(bytes);
}

/**
 * How a text reads within longer base64, at each of the three places where it can begin in a group of bytes, without the
 * characters that it shares with its neighbours.
 */
function base64Parts(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    return bytes.toString('base64').slice(Math.ceil((8 * before) / 6), Math.floor((8 * bytes.length) / 6));
  });
}

/** Appends events that are not known. The caller holds the bot's lock and has looked them up. */
export async function appendEvents(
  sql: Queryable,
  botId: string,
  events: readonly (ChangedEvent & { receivedAt: number })[],
): Promise<void> {
  if (events.length === 0) return;
  await sql`
    insert into events (bot_id, platform, key, kind, detail, contact_id, named_as, happened_at, received_at)
    select ${botId}, new.* from ${rowTable(sql, 'new', events, {
      ...eventColumns,
      received_at: ['timestamptz', (event) => event.receivedAt],
    })}`;
}

/** Writes what further reports have changed. Safe to repeat. */
export async function rewriteEvents(
  sql: Queryable,
  botId: string,
  events: readonly ChangedEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await sql`
    update events set kind = new.kind, detail = new.detail, contact_id = new.contact_id, named_as = new.named_as,
      happened_at = new.happened_at
    from ${rowTable(sql, 'new', events, eventColumns)}
    where events.bot_id = ${botId} and events.platform = new.platform and events.key = new.key`;
}

const eventColumns: Record<string, Column<ChangedEvent>> = {
  platform: ['text', (event) => event.platform],
  key: ['text', (event) => event.key],
  kind: ['text', (event) => event.kind],
  detail: ['text', (event) => event.detail],
  contact_id: ['text', (event) => event.contactId],
  named_as: ['text', (event) => event.namedAs],
  happened_at: ['timestamptz', (event) => event.happenedAt],
};

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

/** One line of a contact's story. `place` orders events of the same time. Times in ms. */
export type StoryEvent = Pick<Event, 'kind' | 'detail' | 'happenedAt'> & {
  receivedAt: number;
  place: string;
};

/** A contact's events, newest first: at most `limit`, behind the one at `after`. */
export async function storyOf(
  sql: Queryable,
  botId: string,
  {
    contactId,
    after,
    limit,
  }: {
    contactId: string;
    after: Pick<StoryEvent, 'happenedAt' | 'place'> | null;
    limit: number;
  },
): Promise<StoryEvent[]> {
  // Keys may name the person, and may be long.
  const place = sql`encode(sha256(convert_to(key, 'UTF8')), 'hex')`;
  const until = after && new Date(after.happenedAt);
  const rows = await sql<
    (Omit<StoryEvent, 'happenedAt' | 'receivedAt'> & { happened: Date; received: Date })[]
  >`
    select kind, detail, happened_at as happened, received_at as received, ${place} as place from events
    where bot_id = ${botId} and contact_id = ${contactId}
      ${after === null ? sql`` : sql`and happened_at <= ${until} and (happened_at, ${place}) < (${until}, ${after.place})`}
    order by happened_at desc, place desc limit ${limit}`;
  return rows.map(({ happened, received, ...event }) => ({
    ...event,
    happenedAt: happened.getTime(),
    receivedAt: received.getTime(),
  }));
}

/** The messages of contacts between two instants (ms, inclusive) for each. */
export async function messagesBetween(
  sql: Queryable,
  botId: string,
  spans: readonly { contactId: string; from: number; to: number }[],
): Promise<Event[]> {
  const rows = await sql<EventRow[]>`
    select platform, key, kind, detail, events.contact_id, happened_at
    from ${rowTable(sql, 'span', spans, {
      contact_id: ['text', (span) => span.contactId],
      starts_at: ['timestamptz', (span) => span.from],
      ends_at: ['timestamptz', (span) => span.to],
    })}
    join events on events.bot_id = ${botId} and events.contact_id = span.contact_id
      and happened_at between span.starts_at and span.ends_at
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
