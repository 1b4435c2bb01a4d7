-- Webhook requests whose signature was missing or wrong, by hour: how many, and the latest. Nothing of them is stored.
create table refused_deliveries (
  bot_id text collate "C" not null,
  platform text collate "C" not null,
  hour timestamptz not null,
  count bigint not null,
  last_at timestamptz not null,
  primary key (bot_id, platform, hour)
);
-- Why: see 0002-inbox.sql.
alter table refused_deliveries alter column bot_id set statistics 0;
