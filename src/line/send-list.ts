/**
 * LINE sends one by one, newest first, page by page: what is known of each, by our gateway and by LINE's statistics.
 */
import type { Queryable } from '../database/client.ts';
import { isObject } from '../json.ts';
import type { LineAnswer } from './answers.ts';
import type { SendKind } from './daily-figures.ts';

/** Null: not known. */
export type ListedSend = {
  requestId: string;
  kind: SendKind;
  /** Custom aggregation unit; null: none. */
  unit: string | null;
  sentAt: Date;
  recipients: number | null;
  /** What LINE told last: messages that arrived, people who opened it, and who opened a link of it. */
  delivered: number | null;
  opened: number | null;
  clicked: number | null;
  /** When LINE told that; null: it has not. */
  toldAt: Date | null;
  /** Clicks on our links in it, and the people behind them; null: it was sent without. */
  ownClicks: number | null;
  ownClickers: number | null;
};

/** Where a page ended: the next one begins behind this send. `sentAt` in ms. */
export type SendPlace = { sentAt: number; requestId: string };

type Row = Omit<ListedSend, 'delivered' | 'opened' | 'clicked' | 'ownClicks' | 'ownClickers'> & {
  answer: LineAnswer | null;
  hasLinks: boolean;
  clicks: number | null;
  clickers: number | null;
};

/**
 * A page of at most `limit` of the sends from `from` on and before `until` (ms), of these kinds. A place stays good when sends
 * are added.
 */
export async function pageOfSends(
  sql: Queryable,
  botId: string,
  {
    from,
    until,
    kinds,
    after,
    limit,
  }: { from: number; until: number; kinds: readonly SendKind[]; after: SendPlace | null; limit: number },
): Promise<ListedSend[]> {
  // The way into the index: of the place behind it the planner only makes a filter.
  const end = after === null ? until : Math.min(until, after.sentAt + 1);
  const rows = await sql<Row[]>`
    select sent.request_id as "requestId", sent.kind, sent.unit, sent.sent_at as "sentAt", sent.recipients::float8,
      told.value as answer, told.received_at as "toldAt", sent.link_set is not null as "hasLinks",
      own.total::float8 as clicks, own.people::float8 as clickers
    from (
      select * from line_sends
      where bot_id = ${botId} and sent_at >= ${new Date(from)} and sent_at < ${new Date(end)}
        and kind = any (${kinds as SendKind[]}::text[])
        ${after === null ? sql`` : sql`and (sent_at, request_id) < (${new Date(after.sentAt)}, ${after.requestId})`}
      order by sent_at desc, request_id desc limit ${limit}
    ) sent
    left join lateral (
      select value, received_at from line_message_events
      where line_message_events.bot_id = ${botId} and line_message_events.request_id = sent.request_id limit 1
    ) told on true
    left join lateral (
      select total, people from line_interaction_counts
      where line_interaction_counts.bot_id = ${botId} and line_interaction_counts.request_id = sent.request_id
        and kind = 'click' and seq = 0 and url = '' limit 1
    ) own on true
    order by sent.sent_at desc, sent.request_id desc`;
  return rows.map(toSend);
}

function toSend({ answer, hasLinks, clicks, clickers, toldAt, ...sent }: Row): ListedSend {
  const overview = isObject(answer?.overview) ? answer.overview : {};
  const told = (name: string) => {
    const { [name]: count } = overview;
    return typeof count === 'number' ? count : null;
  };
  const counted = (count: number | null) => count ?? (hasLinks ? 0 : null);
  return {
    ...sent,
    delivered: told('delivered'),
    opened: told('uniqueImpression'),
    clicked: told('uniqueClick'),
    toldAt,
    ownClicks: counted(clicks),
    ownClickers: counted(clickers),
  };
}
