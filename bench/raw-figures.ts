/**
 * The reference of the client analysis: its figures from the raw events, in one query that reads a bot's events once.
 */
import type { Sql } from '../src/database/client.ts';

export type RawFigures = {
  platform: string;
  followers: number;
  blocks: number;
  messages: number;
  cover: number;
};

/** MantaGo's figures of every platform with events (docs/figures.md), by platform. */
export async function rawFigures(sql: Sql, botId: string): Promise<RawFigures[]> {
  return sql<RawFigures[]>`
    with snapshot as (
      select (value->>'followers')::bigint as followers, (value->>'blocks')::bigint as blocks,
        (day + 1)::timestamp at time zone 'UTC' - interval '9 hours' as ends_at
      from snapshots where bot_id = ${botId} and kind = 'followers' and status = 'ready' order by day desc limit 1
    ), delivered as (
      select coalesce(sum(field.value::bigint), 0) as messages
      from snapshots cross join lateral jsonb_each(value) field
      where bot_id = ${botId} and kind = 'delivery' and status = 'ready' and jsonb_typeof(field.value) = 'number'
    ), people as (
      select platform, contact_id, count(*) filter (where kind in ('message-in', 'message-out')) as messages,
        min(happened_at) filter (where case platform when 'line' then kind in ('follow', 'unfollow')
          when 'facebook' then kind in ('message-in', 'postback', 'optin', 'referral')
          else kind in ('message-in', 'postback') end) as followed_at,
        max(happened_at) filter (where blocking) as blocked_at,
        max(happened_at) filter (where lifting) as lifted_at,
        max(happened_at) filter (where blocking and happened_at < ends_at) as blocked_before,
        max(happened_at) filter (where lifting and happened_at < ends_at) as lifted_before
      from events
      left join snapshot on true
      cross join lateral (select
        (platform = 'line' and kind = 'unfollow') or (platform = 'facebook' and kind = 'block') as blocking,
        (platform = 'line' and kind = 'follow') or (platform = 'facebook' and kind in ('unblock', 'message-in')) as lifting) meaning
      where bot_id = ${botId}
      group by platform, contact_id
    ), states as (
      select people.*, coalesce(blocked_at > coalesce(lifted_at, '-infinity'), false) as blocked,
        coalesce(blocked_before > coalesce(lifted_before, '-infinity'), false) as was_blocked
      from people
    ), sums as (
      select platform, sum(messages) as messages, count(followed_at) as followers,
        count(*) filter (where followed_at >= ends_at) as followed_since,
        count(*) filter (where blocked) as blocks, count(*) filter (where was_blocked) as blocks_before
      from states left join snapshot on true group by platform
    ), tagged as (
      select platform, count(distinct contact_id) as contacts
      from contact_tags join contacts using (bot_id, contact_id)
      where bot_id = ${botId} and (ends_at is null or ends_at > now()) group by platform
    ), figures as (
      select platform,
        case when platform = 'line' and snapshot.followers is not null
          then snapshot.followers + followed_since else sums.followers end as followers,
        case when platform = 'line' and snapshot.blocks is not null
          then greatest(0, snapshot.blocks + sums.blocks - blocks_before) else sums.blocks end as blocks,
        sums.messages + case when platform = 'line' then delivered.messages else 0 end as messages
      from sums cross join delivered left join snapshot on true
    )
    select platform, followers::float8, blocks::float8, messages::float8,
      least(1, round(coalesce(tagged.contacts, 0)::numeric / nullif(followers, 0), 4))::float8 as cover
    from figures left join tagged using (platform)
    order by platform`;
}
