-- Profiles of people, as the platforms report them.

alter table contacts
  -- When the platform is next asked for the profile; null: not before the contact adds or unblocks the account. New contacts have
  -- 'epoch', so they come before those that exist now.
  add column profile_due_at timestamptz default '1970-01-02T00:00:00Z';
alter table contacts alter column profile_due_at drop default;
create index contacts_profile_due on contacts (bot_id, platform, profile_due_at)
  where profile_due_at is not null and merged_into is null and forgotten_at is null;

alter table contact_profiles
  -- The address of the person's picture at the platform.
  add column picture_url text,
  -- The language in the platform's app, a BCP 47 tag.
  add column language text,
  add column status_message text,
  -- The person's unique name on the platform, such as @ada on Instagram.
  add column account_name text;

-- The schedule of the profile calls of one channel. The row is locked during a step, so one process at a time asks for a channel.
create table profile_channels (
  bot_id text collate "C" not null,
  platform text collate "C" not null,
  -- No call before; null: now.
  next_at timestamptz,
  -- Steps in a row that the platform refused.
  failures integer not null default 0,
  -- The reason, for people.
  problem text,
  updated_at timestamptz not null,
  primary key (bot_id, platform)
) with (fillfactor = 50);

-- Pictures that the server fetched for its pages.
create table contact_pictures (
  bot_id text collate "C" not null,
  contact_id text collate "C" not null,
  url text not null,
  -- Null: the address has no picture that can be shown.
  type text collate "C",
  content bytea,
  fetched_at timestamptz not null,
  primary key (bot_id, contact_id),
  check ((type is null) = (content is null))
);
alter table contact_pictures alter column content set storage external;

-- Why: see 0002-inbox.sql.
alter table contact_pictures alter column bot_id set statistics 0;
