/**
 * Pages of single LINE sends, newest first, with the data of our gateway and of LINE's statistics.
 */
import type { components } from '../../contracts/types/management.ts';
import type { Queryable } from '../database/client.ts';
import { isObject } from '../json.ts';
import type { LineAnswer } from './answers.ts';
import type { SendKind } from './daily-figures.ts';

type Send = components['schemas']['LineSends']['sends'][number];
type SendDetails = Omit<Send, 'sentAt' | 'toldAt'> & { sentAt: Date; toldAt: Date | null };

/** The last send of a page; the next page begins after it. `sentAt` in ms. */
export type SendCursor = { sentAt: number; requestId: string };

type Row = Omit<SendDetails, 'delivered' | 'opened' | 'clicked' | 'ownClicks' | 'ownClickers'> & {
  answer: LineAnswer | null;
  hasLinks: boolean;
  clicks: number | null;
  clickers: number | null;
};

/**
 * Returns a page of at most `limit` sends of the kinds, from `from` to before `until` (ms). A cursor stays valid when sends are
 * added.
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
  }: { from: number; until: number; kinds: readonly SendKind[]; after: SendCursor | null; limit: number },
): Promise<SendDetails[]> {
  // The planner uses the cursor as a filter only, not to enter the index.
  const end = after === null ? until : Math.min(until, after.sentAt + 1);
  const rows = await sql<Row[]>`
    select sent.request_id as "requestId", sent.kind, sent.unit, sent.sent_at as "sentAt", sent.recipients::float8,
      statistics.value as answer, statistics.received_at as "toldAt", sent.link_set is not null as "hasLinks",
      clicks.total::float8 as clicks, clicks.people::float8 as clickers
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
    ) statistics on true
    left join lateral (
      select total, people from line_interaction_counts
      where line_interaction_counts.bot_id = ${botId} and line_interaction_counts.request_id = sent.request_id
        and kind = 'click' and seq = 0 and url = '' limit 1
    ) clicks on true
    order by sent.sent_at desc, sent.request_id desc`;
  return rows.map(toSend);
}

function toSend({ answer, hasLinks, clicks, clickers, toldAt, ...send }: Row): SendDetails {
  const overview = isObject(answer?.overview) ? answer.overview : {};
  const statistic = (name: string) => {
    const { [name]: count } = overview;
    return typeof count === 'number' ? count : null;
  };
  const countOfLinks = (count: number | null) => count ?? (hasLinks ? 0 : null);
  return {
    ...send,
    delivered: statistic('delivered'),
    opened: statistic('uniqueImpression'),
    clicked: statistic('uniqueClick'),
    toldAt,
    ownClicks: countOfLinks(clicks),
    ownClickers: countOfLinks(clickers),
  };
}
