-- Friends from before the connection: contacts that LINE lists as friends of the account. No figure of followers depends on them.

-- When LINE's list first named the contact as a friend; null: never.
alter table contacts add column listed_at timestamptz;
create index contacts_listed on contacts (bot_id, followed_at) where listed_at is not null;

-- The reading of LINE's list of friends, page by page. The row is locked during a page.
create table line_friend_lists (
  bot_id text collate "C" primary key,
  -- unavailable: LINE offers the list to verified and premium accounts only.
  state text collate "C" not null check (state in ('reading', 'done', 'unavailable')),
  -- LINE's token of the next page, valid for a day; null: the first page.
  next_page text,
  -- Friends read so far, and those that became contacts by it.
  listed bigint not null default 0,
  added bigint not null default 0,
  -- No call before; null: now.
  next_at timestamptz,
  failures integer not null default 0,
  problem text,
  started_at timestamptz not null,
  updated_at timestamptz not null
) with (fillfactor = 50);
