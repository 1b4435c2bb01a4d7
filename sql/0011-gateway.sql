-- The gateway: whom a reply went to, and the links through which clicks are counted.

alter table line_sends
  -- Of a reply: SHA-256 of its reply token; taken off after a day.
  add column reply_token_hash bytea,
  -- The links that the messages were sent with; null: none.
  add column link_set text collate "C";
create index line_sends_of_reply_token on line_sends (bot_id, reply_token_hash) where reply_token_hash is not null;
create index line_sends_of_link_set on line_sends (bot_id, link_set) where link_set is not null;

-- The person of each reply token that a webhook brought, kept for a day: a reply names nobody else.
create table line_reply_tokens (
  bot_id text collate "C" not null,
  -- SHA-256.
  token_hash bytea not null,
  platform_contact_id text collate "C" not null,
  kept_at timestamptz not null,
  primary key (bot_id, token_hash)
);

-- LINE: whether the clicks of a send that does not say so itself are counted.
alter table channels add column track_clicks boolean not null default false;

-- One URL of a send that asked for its clicks to be counted; never changed. Kept as long as the messages may be read.
create table line_links (
  bot_id text collate "C" not null,
  code text collate "C" not null,
  -- The links of one send; its request id is known only after LINE has answered.
  link_set text collate "C" not null,
  -- Serial number of the URL in the send, from 1.
  seq integer not null check (seq >= 1),
  url text not null,
  -- LINE's user id, where the send went to one person; else null.
  person text collate "C",
  created_at timestamptz not null,
  primary key (bot_id, code)
);
-- Who opens a link names no bot.
create index line_links_by_code on line_links (code);

-- Clicks, each once. Counted as soon as the send of their link is known.
create table line_clicks (
  bot_id text collate "C" not null,
  click_id text collate "C" not null,
  code text collate "C" not null,
  person text collate "C" not null,
  clicked_at timestamptz not null,
  counted boolean not null default false,
  primary key (bot_id, click_id)
);
create index line_clicks_waiting on line_clicks (bot_id, code) where not counted;

-- Why: see 0002-inbox.sql.
alter table line_reply_tokens alter column bot_id set statistics 0;
alter table line_links alter column bot_id set statistics 0;
alter table line_clicks alter column bot_id set statistics 0;
