-- The last bundle of deliveries in the queue at the last check. A later one has not waited since then, even if it is a replay of old
-- deliveries.
alter table alert_checks add column last_bundle_id bigint not null default 0;
