/**
 * Writes interactions of people with sends through our gateway.
 *
 * Each count is stored together with the set of people behind it, in one transaction. Reading a send therefore costs the same for
 * a thousand people and for a million. As with LINE, interactions count until 14 days (1,209,600 s) after sending.
 */
import type { Transaction } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { dayMs, secondMs } from '../time.ts';

export const mediaKinds = [
  'media-play',
  'media-play-25',
  'media-play-50',
  'media-play-75',
  'media-play-100',
] as const;
export type InteractionKind = 'impression' | 'click' | (typeof mediaKinds)[number];

export type Interaction = {
  requestId: string;
  kind: InteractionKind;
  /** The number of the bubble, or of the URL in the message; from 1. */
  seq: number;
  /** The clicked URL; otherwise empty. */
  url: string;
  /** LINE's user id, or the id of an unknown visitor. */
  person: string;
  /** ms. */
  at: number;
};

/** The time after sending in which interactions count (LINE Messaging API reference, "Get user interaction statistics"). */
export const countedMs = 14 * dayMs;

/**
 * Counts interactions: those with a bubble and URL, with any bubble (seq 0), and with any URL (empty). Not idempotent: must run in
 * the transaction that stores their source. Returns the number of changed counts: 0 if all were too late, or their sends are not
 * the bot's.
 */
export async function addInteractions(
  tx: Transaction,
  botId: string,
  interactions: readonly Interaction[],
): Promise<number> {
  // Always in the same order, so that two transactions cannot deadlock.
  const { count } = await tx`
    with counted as (
      select request_id, kind, scope.seq, scope.url, sha256(convert_to(scope.url, 'UTF8')) as url_hash, person
      from ${rowTable(tx, 'new', interactions, {
        request_id: ['text', ({ requestId }) => requestId],
        kind: ['text', ({ kind }) => kind],
        seq: ['integer', ({ seq }) => seq],
        url: ['text', ({ url }) => url],
        person: ['text', ({ person }) => person],
        happened_at: ['timestamptz', ({ at }) => at],
      })}
      cross join lateral (
        select sent_at from line_sends
        where line_sends.bot_id = ${botId} and line_sends.request_id = new.request_id limit 1
      ) sent
      -- Without a URL, the last two are the same scope.
      cross join lateral (values (new.seq, new.url), (0, new.url), (0, nullif('', new.url))) scope (seq, url)
      where happened_at < sent_at + make_interval(secs => ${countedMs / secondMs}) and scope.url is not null
    ), new_people as (
      insert into line_interaction_people (bot_id, request_id, kind, seq, url_hash, person)
      select distinct ${botId}, request_id, kind, seq, url_hash, person from counted
      order by request_id, kind, seq, url_hash, person
      on conflict do nothing
      returning request_id, kind, seq, url_hash
    ), added as (
      select request_id, kind, seq, url_hash, count(*) as people from new_people group by request_id, kind, seq, url_hash
    ), scopes as (
      select request_id, kind, seq, url_hash, url, count(*) as total from counted group by request_id, kind, seq, url_hash, url
    )
    insert into line_interaction_counts as kept (bot_id, request_id, kind, seq, url_hash, url, total, people)
    select ${botId}, request_id, kind, seq, url_hash, url, total, coalesce(people, 0)
    from scopes left join added using (request_id, kind, seq, url_hash)
    order by request_id, kind, seq, url_hash
    on conflict (bot_id, request_id, kind, seq, url_hash) do update set
      total = kept.total + excluded.total, people = kept.people + excluded.people`;
  return count;
}
