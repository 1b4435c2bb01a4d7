-- LINE's figures of rich menus.

-- The rich menus that LINE listed.
create table line_rich_menus (
  bot_id text collate "C" not null,
  rich_menu_id text collate "C" not null,
  -- The latest list with the menu.
  listed_at timestamptz not null,
  primary key (bot_id, rich_menu_id)
);

-- LINE's answer about one rich menu from a first to a last day in UTC+9: the one received last for the first day.
create table line_rich_menu_events (
  bot_id text collate "C" not null,
  rich_menu_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('rich-menu-daily', 'rich-menu-summary')),
  first_day date not null,
  last_day date not null,
  value jsonb not null,
  received_at timestamptz not null,
  primary key (bot_id, rich_menu_id, kind, first_day)
);

-- Why: see 0002-inbox.sql.
alter table line_rich_menus alter column bot_id set statistics 0;
alter table line_rich_menu_events alter column bot_id set statistics 0;
