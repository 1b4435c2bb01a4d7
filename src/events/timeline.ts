/** The timeline of a contact: its events, newest first, page by page. */
import type { Queryable } from '../database/client.ts';
import type { Event } from '../platforms/event.ts';

/** `place` orders events of the same time. Times in ms. */
export type TimelineEvent = Pick<Event, 'kind' | 'detail' | 'happenedAt'> & {
  receivedAt: number;
  place: string;
};

type Row = Omit<TimelineEvent, 'happenedAt' | 'receivedAt'> & { happenedAt: Date; receivedAt: Date };

/** At most `limit` events of the contact, newest first, behind the event at `after`. */
export async function timelineOf(
  sql: Queryable,
  botId: string,
  {
    contactId,
    after,
    limit,
  }: {
    contactId: string;
    after: Pick<TimelineEvent, 'happenedAt' | 'place'> | null;
    limit: number;
  },
): Promise<TimelineEvent[]> {
  // A key may hold an id of the person, and may be long.
  const place = sql`encode(sha256(convert_to(key, 'UTF8')), 'hex')`;
  const until = after && new Date(after.happenedAt);
  const rows = await sql<Row[]>`
    select kind, detail, happened_at as "happenedAt", received_at as "receivedAt", ${place} as place from events
    where bot_id = ${botId} and contact_id = ${contactId}
      ${after === null ? sql`` : sql`and happened_at <= ${until} and (happened_at, ${place}) < (${until}, ${after.place})`}
    order by happened_at desc, place desc limit ${limit}`;
  return rows.map(({ happenedAt, receivedAt, ...event }) => ({
    ...event,
    happenedAt: happenedAt.getTime(),
    receivedAt: receivedAt.getTime(),
  }));
}
