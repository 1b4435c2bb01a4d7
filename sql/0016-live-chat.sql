-- Live chat: visitors, what was written, who is there. What counts goes through the inbox like everything else; these tables
-- are what the two sides read.

alter table channels
  -- SHA-256 of the widget keys that are valid (the current one, and for a while the one before), to find the bot by a key.
  add column widget_key_hashes bytea[] not null default '{}',
  -- Live chat: visitors must be customers that the business's own server vouches for.
  add column identity_required boolean not null default false,
  -- With it that server signs who somebody is; sealed like the channels' secrets. Null: nobody can be vouched for.
  add column identity_key_sealed bytea;
create index channels_of_widget_key on channels using gin (widget_key_hashes);

-- Of what stands there nothing is wrong, so it need not be read for this.
alter table deliveries drop constraint deliveries_source_check;
alter table deliveries add constraint deliveries_source_check
  check (source in ('webhook', 'line-answer', 'line-send', 'live-chat')) not valid;

create table chat_visitors (
  bot_id text collate "C" not null,
  visitor_id text collate "C" not null,
  -- The customer's id that the business's server vouched for; it leads to this visitor for ever. Null: unknown.
  identifier text collate "C",
  name text,
  language text,
  page_url text,
  page_title text,
  referrer text,
  -- Numbers of messages grow by one within a visitor; 0: none yet.
  last_sequence bigint not null default 0,
  last_message_at timestamptz,
  -- Up to which number each side has seen.
  seen_by_visitor bigint not null default 0,
  seen_by_business bigint not null default 0,
  closed boolean not null default false,
  created_at timestamptz not null,
  -- Of the latest session, to the hour.
  session_at timestamptz not null,
  primary key (bot_id, visitor_id)
);
create unique index chat_visitors_identified on chat_visitors (bot_id, identifier) where identifier is not null;
create index chat_visitors_newest on chat_visitors (bot_id, last_message_at desc, visitor_id)
  where last_message_at is not null;
-- Those that never wrote are deleted in the end.
create index chat_visitors_silent on chat_visitors (bot_id, session_at)
  where last_message_at is null and identifier is null;

create table chat_messages (
  bot_id text collate "C" not null,
  visitor_id text collate "C" not null,
  sequence bigint not null,
  -- The sender's own, a ULID: the same message is stored once.
  message_id text collate "C" not null,
  sender text collate "C" not null check (sender in ('visitor', 'agent', 'bot')),
  agent_name text,
  -- Null: an image.
  text text,
  image_type text collate "C",
  image_bytes integer,
  -- SHA-256, to know an image that is sent again.
  image_hash bytea,
  quick_replies text[] not null default '{}',
  sent_at timestamptz not null,
  primary key (bot_id, visitor_id, sequence),
  unique (bot_id, visitor_id, message_id),
  check ((text is null) = (image_type is not null))
);

-- Apart from the messages, because they are deleted after their time.
create table chat_images (
  bot_id text collate "C" not null,
  visitor_id text collate "C" not null,
  message_id text collate "C" not null,
  content bytea not null,
  sent_at timestamptz not null,
  primary key (bot_id, visitor_id, message_id)
);
alter table chat_images alter column content set storage external;
create index chat_images_by_age on chat_images (bot_id, sent_at);

-- Which visitors have a socket open, by process; a process that was killed leaves rows that end by themselves.
create table chat_online (
  bot_id text collate "C" not null,
  visitor_id text collate "C" not null,
  process_id text collate "C" not null,
  online_until timestamptz not null,
  primary key (bot_id, visitor_id, process_id)
) with (fillfactor = 50);

-- Why: see 0002-inbox.sql.
alter table chat_visitors alter column bot_id set statistics 0;
alter table chat_messages alter column bot_id set statistics 0;
alter table chat_images alter column bot_id set statistics 0;
alter table chat_online alter column bot_id set statistics 0;
