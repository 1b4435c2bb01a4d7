-- Requests that were not counted, by their reason. Earlier rows have a wrong signature.
alter table refused_deliveries add column reason text collate "C" not null default 'wrong-signature';
alter table refused_deliveries drop constraint refused_deliveries_pkey;
alter table refused_deliveries add primary key (bot_id, platform, hour, reason);
