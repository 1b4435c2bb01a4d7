-- Figures: rows kept as events are folded, so that a read costs the same at any number of events.

-- Runs of a contact's messages without a pause longer than the bot's gap. A run is a conversation once inbound > 0.
create table conversations (
  bot_id text collate "C" not null,
  contact_id text collate "C" not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  platform text collate "C" not null,
  inbound integer not null,
  outbound integer not null,
  primary key (bot_id, contact_id, first_at)
  -- Room on the page for a run that grows: its index entry then stays as it is.
) with (fillfactor = 80);

-- Since the beginning.
create table totals (
  bot_id text collate "C" not null,
  platform text collate "C" not null,
  followers bigint not null default 0,
  blocks bigint not null default 0,
  inbound bigint not null default 0,
  outbound bigint not null default 0,
  conversations bigint not null default 0,
  conversation_messages bigint not null default 0,
  conversation_ms bigint not null default 0,
  tagged_contacts bigint not null default 0,
  primary key (bot_id, platform)
) with (fillfactor = 50);

-- The same by day, in the bot's zone, and for LINE in UTC+9 too. followers and blocks are the day's change.
create table days (
  bot_id text collate "C" not null,
  platform text collate "C" not null,
  zone text collate "C" not null,
  day date not null,
  followers bigint not null default 0,
  blocks bigint not null default 0,
  inbound bigint not null default 0,
  outbound bigint not null default 0,
  conversations bigint not null default 0,
  conversation_messages bigint not null default 0,
  conversation_ms bigint not null default 0,
  primary key (bot_id, platform, zone, day)
) with (fillfactor = 50);

-- What LINE reported about the account, by day in UTC+9. value: LINE's answer as it came.
create table snapshots (
  bot_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('followers', 'delivery', 'demographic', 'quota')),
  day date not null,
  -- LINE says so: ready, unready, out_of_service; ready for kinds without a status.
  status text not null check (status in ('ready', 'unready', 'out_of_service')),
  value jsonb not null,
  received_at timestamptz not null,
  primary key (bot_id, kind, day)
);

create table contact_tags (
  bot_id text collate "C" not null,
  contact_id text collate "C" not null,
  tag text collate "C" not null,
  created_at timestamptz not null,
  primary key (bot_id, contact_id, tag)
);
create index contact_tags_by_tag on contact_tags (bot_id, tag);

-- Why: see 0002-inbox.sql.
alter table contact_tags alter column bot_id set statistics 0;
alter table conversations alter column bot_id set statistics 0;
alter table totals alter column bot_id set statistics 0;
alter table days alter column bot_id set statistics 0;
alter table snapshots alter column bot_id set statistics 0;
