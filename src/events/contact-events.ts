/** Reads the stored events of contacts: by kind, and the messages of a time span. */
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { botOf, rowTable } from '../database/row-table.ts';
import type { Event, EventKind } from '../platforms/event.ts';

/** The contacts' events of these kinds, in order of time for each contact. */
export async function eventsOfContacts(
  sql: Queryable,
  contacts: readonly { botId: string; contactId: string }[],
  kinds: readonly EventKind[],
): Promise<(Event & { botId: string })[]> {
  const rows = await sql<(EventRow & { botId: string })[]>`
    select events.bot_id as "botId", platform, key, kind, detail, events.contact_id, happened_at
    from ${rowTable(sql, 'contact', contacts, {
      bot_id: ['text', ({ botId }) => botId],
      contact_id: ['text', ({ contactId }) => contactId],
    })}
    -- The offset keeps it a look-up by contact, whatever the planner assumes.
    cross join lateral (
      select * from events where events.bot_id = ${botOf(sql, 'contact', contacts)} and events.contact_id = contact.contact_id offset 0
    ) events
    where kind = any(${textList(kinds)}::text[])
    order by events.contact_id, happened_at, key`;
  return rows.map(({ botId, ...row }) => ({ botId, ...toEvent(row) }));
}

/** The messages of each contact between two instants (ms, inclusive). */
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

type EventRow = Omit<Event, 'contactId' | 'happenedAt'> & {
  contact_id: string | null;
  happened_at: Date;
};

function toEvent({ contact_id: contactId, happened_at: happenedAt, ...event }: EventRow): Event {
  return { ...event, contactId, happenedAt: happenedAt.getTime() };
}
