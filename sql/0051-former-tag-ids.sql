-- The id that a tag had at MantaGo. Every MantaGo call accepts it.
alter table tags add column former_id text collate "C";
create unique index tags_former_id on tags (bot_id, kind, former_id) where former_id is not null;
