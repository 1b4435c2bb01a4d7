/**
 * Pages of single LINE sends, newest first, with the data of our gateway and of LINE's statistics.
 */
import type { components } from '../../contracts/types/management.ts';
import type { Queryable } from '../database/client.ts';
import type { SendKind } from './daily-figures.ts';

type Send = components['schemas']['LineSends']['sends'][number];
type SendDetails = Omit<Send, 'sentAt' | 'toldAt'> & { sentAt: Date; toldAt: Date | null };

/** Sends from `from` to before `until` (ms), after the last one of the page before. Times in ms. */
type SendPage = {
  from: number;
  until: number;
  kinds: readonly SendKind[];
  after: { sentAt: number; requestId: string } | null;
  limit: number;
};

/** Returns a page of at most `limit` sends. A cursor stays valid when sends are added. */
export async function pageOfSends(
  sql: Queryable,
  botId: string,
  { from, until, kinds, after, limit }: SendPage,
): Promise<SendDetails[]> {
  // The planner uses the cursor as a filter only, not to enter the index.
  const end = after === null ? until : Math.min(until, after.sentAt + 1);
  const count = (name: string) => sql`
    case when jsonb_typeof(overview->${name}::text) = 'number' then (overview->${name}::text)::float8 end`;
  return sql<SendDetails[]>`
    select sent.request_id as "requestId", sent.kind, sent.unit, sent.sent_at as "sentAt", sent.recipients::float8,
      ${count('delivered')} as delivered, ${count('uniqueImpression')} as opened, ${count('uniqueClick')} as clicked,
      statistics.received_at as "toldAt",
      coalesce(clicks.total, case when link_set is not null then 0 end)::float8 as "ownClicks",
      coalesce(clicks.people, case when link_set is not null then 0 end)::float8 as "ownClickers"
    from (
      select * from line_sends
      where bot_id = ${botId} and sent_at >= ${new Date(from)} and sent_at < ${new Date(end)}
        and kind = any (${kinds as SendKind[]}::text[])
        ${after === null ? sql`` : sql`and (sent_at, request_id) < (${new Date(after.sentAt)}, ${after.requestId})`}
      order by sent_at desc, request_id desc limit ${limit}
    ) sent
    left join lateral (
      select value->'overview' as overview, received_at from line_message_events
      where line_message_events.bot_id = ${botId} and line_message_events.request_id = sent.request_id limit 1
    ) statistics on true
    left join lateral (
      select total, people from line_interaction_counts
      where line_interaction_counts.bot_id = ${botId} and line_interaction_counts.request_id = sent.request_id
        and kind = 'click' and seq = 0 and url = '' limit 1
    ) clicks on true
    order by sent.sent_at desc, sent.request_id desc`;
}
