-- Contacts and events. No message text is kept here: the figures do not need it.

create table contacts (
  bot_id text collate "C" not null,
  -- The encoded client id that is given out: random, never reused.
  contact_id text collate "C" not null,
  platform text collate "C" not null,
  platform_contact_id text collate "C" not null,
  -- Set when this id turned out to be another contact's second id; always points at a contact that is not merged itself.
  merged_into text collate "C",
  -- Earliest event that made the person a follower; null: never.
  followed_at timestamptz,
  -- Now; decided by the latest event that says something about it.
  blocked boolean not null default false,
  -- True once any event blocked the contact: only then do its messages need a look at its history.
  ever_blocked boolean not null default false,
  created_at timestamptz not null,
  primary key (bot_id, contact_id),
  unique (bot_id, platform, platform_contact_id)
);
create index contacts_merged on contacts (bot_id, merged_into) where merged_into is not null;

create table events (
  bot_id text collate "C" not null,
  platform text collate "C" not null,
  -- The same whenever the platform sends the event again (src/platforms).
  key text collate "C" not null,
  kind text collate "C" not null,
  -- The platform's own type, or why the event is ignored.
  detail text,
  contact_id text collate "C",
  happened_at timestamptz not null,
  received_at timestamptz not null,
  primary key (bot_id, platform, key)
);
create index events_of_contact on events (bot_id, contact_id, happened_at) where contact_id is not null;

-- Why: see 0002-inbox.sql.
alter table contacts alter column bot_id set statistics 0;
alter table events alter column bot_id set statistics 0;
