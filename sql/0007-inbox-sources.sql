-- What LINE answered to our own calls, and what was sent through our gateway, go the way of the webhooks: kept as it came,
-- then folded.

alter table deliveries add column source text collate "C" not null default 'webhook'
  check (source in ('webhook', 'line-answer', 'line-send'));
