/**
 * The append-only store of events: each event is stored once, whatever the number of deliveries that report it. A stored event combines
 * all reports of its key (reports.ts). A report that changes nothing is a duplicate and is dropped.
 */
import type { Fragment, Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { botOf, type Column, rowsOfBots, rowTable } from '../database/row-table.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import type { Event, EventKind } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { combine, isChangedBy, type Report } from './reports.ts';

/** An event of a batch, its contact not looked up yet. Times in ms. */
export type IncomingEvent = {
  botId: string;
  platform: PlatformName;
  key: string;
  kind: EventKind;
  detail: string | null;
  contact: string | null;
  contactAlias: string | null;
  happenedAt: number;
  receivedAt: number;
  /** The delivery that reported the event; null: the business did. */
  deliveryId: number | null;
};

/** A stored event, combined from its reports so far. `isOfDeleted`: its contact was deleted. */
export type StoredEvent = Report & { isOfDeleted: boolean };

/** An event as a row of `events`. `namedAs`: the contact id of the row of the reported id, for a second id of a contact. */
export type EventRecord = Event & { botId: string; namedAs: string | null };

/** The events of one bot with one report for each key. */
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

/** The stored events with the keys of `events`, by bot. A bot without any is missing. */
export async function findStoredEvents(
  sql: Queryable,
  events: readonly IncomingEvent[],
): Promise<ReadonlyMap<string, ByPlatform<StoredEvent>>> {
  const byBot = new Map<string, ByPlatform<StoredEvent>>();
  if (events.length === 0) return byBot;
  const rows = await sql<StoredRow[]>`${storedRows(sql, events)}`;
  for (const { bot_id: botId, platform, key, happened_at: happenedAt, ...row } of rows) {
    const ofBot = byBot.get(botId) ?? new ByPlatform<StoredEvent>();
    byBot.set(botId, ofBot);
    ofBot.set(platform, key, { ...row, happenedAt: happenedAt.getTime() });
  }
  return byBot;
}

type EventKey = Pick<Event, 'platform' | 'key'> & { botId: string };
type StoredRow = Omit<StoredEvent, 'happenedAt'> & {
  bot_id: string;
  platform: PlatformName;
  key: string;
  happened_at: Date;
};

/** The query for the stored events with these keys. */
export function storedRows(sql: Queryable, keys: readonly EventKey[]): Fragment {
  // From PostgreSQL 17 on, one index scan finds all keys of a list, in a tenth of the time of single look-ups. Before that, the
  // planner uses the list as a filter and reads all events of the bot.
  const scansOnce = sql`current_setting('server_version_num')::integer >= 170000`;
  const bot = botOf(sql, 'sent', keys);
  const hasDeleted = sql`exists (
    select from contacts where contacts.bot_id = ${bot} and forgotten_at is not null)`;
  // A comparison with one key is an index look-up on every version. The limit keeps it one: without statistics (a table that has
  // just grown) the planner expects few rows of the bot and would read them all.
  const lookUp = (key: Fragment) => sql`
    select requested.key, stored.*
    from unnest(sent.keys) as requested (key) cross join lateral (
      select * from events where bot_id = ${bot} and platform = sent.platform and events.key = ${key} limit 1
    ) stored`;
  return sql`
    with sent as materialized (${keyLists(sql, keys)})
    select sent.bot_id, sent.platform, stored.requested_key as key, kind, detail, happened_at,
      person.platform_contact_id as contact,
      stored.requested_key <> stored.key or person.forgotten_at is not null as "isOfDeleted"
    from sent cross join lateral (
      (select key as requested_key, * from events
      where bot_id = ${bot} and platform = sent.platform and key = any (sent.keys) and ${scansOnce} offset 0)
      union all (${lookUp(sql`requested.key`)} where not ${scansOnce})
      union all (${lookUp(anonymousKey(sql, 'requested.key'))} where ${hasDeleted})
    ) stored
    left join lateral (
      select platform_contact_id, forgotten_at from contacts
      where contacts.bot_id = ${bot} and contacts.contact_id = coalesce(stored.named_as, stored.contact_id) limit 1
    ) person on true`;
}

/** A list of keys for each bot and platform: `bot_id`, `platform`, `keys`. Those of one bot are sent as lists, which costs the database less. */
function keyLists(sql: Queryable, keys: readonly EventKey[]): Fragment {
  const [first] = keys;
  if (first === undefined || keys.some(({ botId }) => botId !== first.botId))
    return sql`
      select bot_id, platform, array_agg(key) as keys
      from ${rowTable(sql, 'sent', keys, {
        bot_id: ['text', ({ botId }) => botId],
        platform: ['text', ({ platform }) => platform],
        key: ['text', ({ key }) => key],
      })}
      group by bot_id, platform`;
  const lists = [...Map.groupBy(keys, ({ platform }) => platform)].map(
    ([platform, ofPlatform]) => sql`
      select ${first.botId}::text as bot_id, ${platform}::text as platform, ${textList(ofPlatform.map(({ key }) => key))}::text[] as keys`,
  );
  return lists.reduce((all, list) => sql`${all} union all ${list}`);
}

/** For queries: the replacement of a key that holds an id of a deleted contact. A redelivery of the event leads to it. */
export function anonymousKey(sql: Queryable, column: string): Fragment {
  return sql`('forgotten:' || encode(sha256(convert_to(${sql(column)}, 'UTF8')), 'hex'))`;
}

/** Appends events that are not stored. The caller holds the locks of their bots and has looked them up. */
export async function appendEvents(
  sql: Queryable,
  events: readonly (EventRecord & { receivedAt: number })[],
): Promise<void> {
  if (events.length === 0) return;
  await sql`
    insert into events (bot_id, platform, key, kind, detail, contact_id, named_as, happened_at, received_at)
    select * from ${rowsOfBots(sql, 'new', events, {
      ...eventColumns,
      received_at: ['timestamptz', (event) => event.receivedAt],
    })}`;
}

/** The columns of `events` that reports decide. */
export const eventColumns: Record<string, Column<EventRecord>> = {
  bot_id: ['text', (event) => event.botId],
  platform: ['text', (event) => event.platform],
  key: ['text', (event) => event.key],
  kind: ['text', (event) => event.kind],
  detail: ['text', (event) => event.detail],
  contact_id: ['text', (event) => event.contactId],
  named_as: ['text', (event) => event.namedAs],
  happened_at: ['timestamptz', (event) => event.happenedAt],
};
