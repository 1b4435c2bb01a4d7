-- What the LINE Insight calls need beside the figures: who may call, LINE's interaction statistics as they came, and what went
-- through our gateway with what people did with it.

-- Tokens with which a program calls for the bot's LINE channel; of each the SHA-256 only.
create table line_tokens (
  bot_id text collate "C" not null,
  token_id text collate "C" not null,
  -- channel: the channel's own access token, at most one that is valid; made: made by `shoal channel token create`.
  kind text collate "C" not null check (kind in ('channel', 'made')),
  token_hash bytea not null,
  created_at timestamptz not null,
  revoked_at timestamptz,
  primary key (bot_id, token_id)
);
-- A caller shows a token and names no bot. Not unique: the same channel may have been given to a second bot since.
create index line_tokens_by_hash on line_tokens (token_hash) where revoked_at is null;
create unique index line_tokens_of_channel on line_tokens (bot_id) where kind = 'channel' and revoked_at is null;

-- LINE's answer about one broadcast or narrowcast, the one received last.
create table line_message_events (
  bot_id text collate "C" not null,
  request_id text collate "C" not null,
  value jsonb not null,
  received_at timestamptz not null,
  primary key (bot_id, request_id)
);

-- LINE's answer about one aggregation unit from a first to a last day in UTC+9, the one received last.
create table line_unit_events (
  bot_id text collate "C" not null,
  unit text collate "C" not null,
  first_day date not null,
  last_day date not null,
  value jsonb not null,
  received_at timestamptz not null,
  primary key (bot_id, unit, first_day, last_day)
);

-- One send call that went through our gateway.
create table line_sends (
  bot_id text collate "C" not null,
  -- LINE's X-Line-Request-Id of the call.
  request_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('push', 'multicast', 'broadcast', 'narrowcast', 'reply')),
  -- Custom aggregation unit; null: none.
  unit text collate "C",
  -- Null: not known (broadcast and narrowcast, until LINE's statistics tell).
  recipients bigint check (recipients >= 0),
  sent_at timestamptz not null,
  primary key (bot_id, request_id)
);
create index line_sends_of_unit on line_sends (bot_id, unit, sent_at) where unit is not null;

-- The sends by day in UTC+9, kept with them.
create table line_send_days (
  bot_id text collate "C" not null,
  day date not null,
  kind text collate "C" not null,
  -- Of the sends whose number of recipients is known.
  recipients bigint not null default 0,
  -- Sends whose number of recipients is not known.
  unknown_sends bigint not null default 0,
  primary key (bot_id, day, kind)
) with (fillfactor = 50);

-- What people did with a send, counted: by bubble and URL, and the same with seq 0 (any bubble) and an empty URL (any URL).
create table line_interaction_counts (
  bot_id text collate "C" not null,
  request_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('impression', 'click', 'media-play', 'media-play-25', 'media-play-50',
    'media-play-75', 'media-play-100')),
  seq integer not null check (seq >= 0),
  -- SHA-256 of the URL, since a URL may be too long for a key; that of nothing for the empty one.
  url_hash bytea not null,
  url text not null,
  total bigint not null,
  -- Different people among them.
  people bigint not null,
  primary key (bot_id, request_id, kind, seq, url_hash)
) with (fillfactor = 50);

-- The people behind each of those counts, so that each is counted once.
create table line_interaction_people (
  bot_id text collate "C" not null,
  request_id text collate "C" not null,
  kind text collate "C" not null,
  seq integer not null,
  url_hash bytea not null,
  -- LINE's user id, or a visitor's where that is not known.
  person text collate "C" not null,
  primary key (bot_id, request_id, kind, seq, url_hash, person)
);

-- Why: see 0002-inbox.sql.
alter table line_tokens alter column bot_id set statistics 0;
alter table line_message_events alter column bot_id set statistics 0;
alter table line_unit_events alter column bot_id set statistics 0;
alter table line_sends alter column bot_id set statistics 0;
alter table line_send_days alter column bot_id set statistics 0;
alter table line_interaction_counts alter column bot_id set statistics 0;
alter table line_interaction_people alter column bot_id set statistics 0;
