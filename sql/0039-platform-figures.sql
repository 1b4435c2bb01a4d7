-- Meta's access tokens, and the figures that Meta reports about a page, an Instagram account and a WhatsApp number.

alter table channels add column business_account_id text collate "C";

-- The access token of a Meta channel: when it was checked, and the result. The token itself is in channels, encrypted.
create table access_tokens (
  bot_id text collate "C" not null,
  platform text collate "C" not null check (platform in ('facebook', 'instagram', 'whatsapp')),
  -- Changes with each new token, so that a refused one is not tried again.
  token_id text collate "C" not null,
  -- Null: not checked yet.
  checked_at timestamptz,
  -- Null: it does not expire, or Meta does not report it.
  expires_at timestamptz,
  missing_permissions text[] not null default '{}',
  problem text,
  primary key (bot_id, platform)
);
alter table access_tokens alter column bot_id set statistics 0;

-- Tokens from before: not checked yet.
insert into access_tokens (bot_id, platform, token_id)
select bot_id, platform, md5(bot_id || platform) from channels
where platform in ('facebook', 'instagram', 'whatsapp') and access_token_sealed is not null;

-- What a platform reports about a day: UTC on WhatsApp; the day of Meta's insights on the others.
create table platform_days (
  bot_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('page-insights', 'instagram-followers', 'whatsapp-analytics',
    'whatsapp-templates', 'whatsapp-number')),
  day date not null,
  value jsonb not null,
  received_at timestamptz not null,
  primary key (bot_id, kind, day)
);
alter table platform_days alter column bot_id set statistics 0;

-- Messages of conversations from before the connection, fetched on request.
alter table deliveries drop constraint deliveries_source_check;
alter table deliveries add constraint deliveries_source_check
  check (source in ('webhook', 'line-answer', 'line-send', 'live-chat', 'history')) not valid;
