-- Counts the writes of a bot's snapshots, so that what was read of them can be kept until they change.
alter table bots add column snapshot_version bigint not null default 0;
