-- People whom Messenger refuses to a send of Shoal: each counts as a block.
alter table deliveries drop constraint deliveries_source_check;
alter table deliveries add constraint deliveries_source_check
  check (source in ('webhook', 'line-answer', 'line-send', 'live-chat', 'history', 'refused-send')) not valid;
