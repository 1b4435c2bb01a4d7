-- Messages by hour of the day, when a platform last delivered, and the ways to sends by time.

-- Inbound and outbound messages by the hour of the bot's zone on which they lie. Of LINE only inbound ones: what was sent there is
-- told by the day.
create table hours (
  bot_id text collate "C" not null,
  platform text collate "C" not null,
  day date not null,
  hour smallint not null check (hour between 0 and 23),
  inbound bigint not null default 0,
  outbound bigint not null default 0,
  primary key (bot_id, platform, day, hour)
) with (fillfactor = 50);
-- Why: see 0002-inbox.sql.
alter table hours alter column bot_id set statistics 0;

-- What was counted before. A bot in a zone that PostgreSQL does not know gets its hours by a recount.
insert into hours (bot_id, platform, day, hour, inbound, outbound)
select bot_id, platform, local_at::date, extract(hour from local_at),
  count(*) filter (where kind = 'message-in'), count(*) filter (where kind = 'message-out')
from (
  select events.bot_id, events.platform, events.kind, events.happened_at at time zone bots.time_zone as local_at
  from events join bots on bots.bot_id = events.bot_id
  where events.kind in ('message-in', 'message-out') and not (events.platform = 'line' and events.kind = 'message-out')
    and bots.time_zone in (select name from pg_timezone_names)
) message
group by bot_id, platform, local_at::date, extract(hour from local_at);

-- When the latest webhook of the platform that was folded came in; null: none has.
alter table totals add column last_delivery_at timestamptz;
insert into totals as kept (bot_id, platform, last_delivery_at)
select bot_id, platform, max(received_at) from deliveries where source = 'webhook' group by bot_id, platform
on conflict (bot_id, platform) do update set last_delivery_at = excluded.last_delivery_at;

-- Sends of any kind are listed page by page, newest first.
create index line_sends_by_time on line_sends (bot_id, sent_at, request_id);

-- Points of a bot by day of its zone, for days that are over: nothing of them can change any more.
create table point_days (
  bot_id text collate "C" not null,
  day date not null,
  earned bigint not null,
  spent bigint not null,
  corrected bigint not null,
  expired bigint not null,
  primary key (bot_id, day)
);
-- Up to which moment they are kept, and by the days of which zone.
create table point_day_positions (
  bot_id text collate "C" primary key,
  zone text collate "C" not null,
  kept_until timestamptz not null
);
alter table point_days alter column bot_id set statistics 0;
-- Entries since then: they stand in order of time, so a small index finds them.
create index point_entries_by_time on point_entries using brin (created_at) with (pages_per_range = 32, autosummarize = on);
