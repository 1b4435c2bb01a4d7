-- Notes on charts, such as a campaign or a change of prices. LINE's broadcasts are not stored here: they are read from its sends.
create table annotations (
  bot_id text collate "C" not null,
  annotation_id text collate "C" not null,
  day date not null,
  body text not null,
  created_at timestamptz not null,
  primary key (bot_id, annotation_id)
);
create index annotations_by_day on annotations (bot_id, day);
-- Why: see 0002-inbox.sql.
alter table annotations alter column bot_id set statistics 0;
