-- Tags of three kinds with ids, assignments that may end by themselves, and what is known of contacts as persons.

create table tags (
  bot_id text collate "C" not null,
  tag_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('manual', 'personal', 'automatic')),
  name text collate "C" not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Of automatic tags: how sure it must be that the tag fits, and after how many days its assignments end when that is active.
  confidence double precision not null default 1 check (confidence between 0 and 1),
  life_cycle_days integer not null default 30 check (life_cycle_days between 1 and 36500),
  life_cycle_active boolean not null default false,
  primary key (bot_id, tag_id),
  unique (bot_id, kind, name),
  check (kind = 'automatic' or not life_cycle_active)
);

-- Tags were words until now: each becomes a manual tag.
insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
select bot_id, translate(substr(md5(gen_random_uuid()::text), 1, 14), '0123456789', 'GHIJKLMNOP'), 'manual', tag,
  min(created_at), min(created_at)
from contact_tags group by bot_id, tag;

alter table contact_tags add column tag_id text collate "C", add column ends_at timestamptz;
update contact_tags set tag_id = tags.tag_id from tags
where tags.bot_id = contact_tags.bot_id and tags.kind = 'manual' and tags.name = contact_tags.tag;
-- Takes the primary key and the index by tag along.
alter table contact_tags drop column tag;
alter table contact_tags alter column tag_id set not null, add primary key (bot_id, contact_id, tag_id);
create index contact_tags_by_tag on contact_tags (bot_id, tag_id, contact_id);
create index contact_tags_ending on contact_tags (bot_id, ends_at) where ends_at is not null;

-- Contacts all of whose assignments end, and when the last one does. totals.tagged_contacts counts every contact with an
-- assignment, ended or not; a reader takes off those that stand here with a moment that is over.
create table tag_cover_ends (
  bot_id text collate "C" not null,
  contact_id text collate "C" not null,
  platform text collate "C" not null,
  ends_at timestamptz not null,
  primary key (bot_id, contact_id)
);
create index tag_cover_ends_in_time on tag_cover_ends (bot_id, platform, ends_at);

-- Personal data, apart from everything that is counted, so that it can be erased without changing a figure.
create table contact_profiles (
  bot_id text collate "C" not null,
  contact_id text collate "C" not null,
  -- The id in the business's own membership system.
  customer_id text collate "C",
  name text,
  -- When the platform told the name; null: nobody told one.
  name_told_at timestamptz,
  headshot text,
  remark text,
  user_name text,
  user_email text,
  user_phone text,
  user_birthday text,
  user_address text,
  updated_at timestamptz not null,
  primary key (bot_id, contact_id)
);
create index contact_profiles_by_customer on contact_profiles (bot_id, customer_id) where customer_id is not null;

-- Up to which delivery the names in a bot's deliveries have been read.
create table profile_positions (
  bot_id text collate "C" primary key,
  delivery_id bigint not null
);

-- For the list of contacts, newest first.
create index contacts_created on contacts (bot_id, created_at, contact_id) where merged_into is null;

-- Why: see 0002-inbox.sql.
alter table tags alter column bot_id set statistics 0;
alter table tag_cover_ends alter column bot_id set statistics 0;
alter table contact_profiles alter column bot_id set statistics 0;
