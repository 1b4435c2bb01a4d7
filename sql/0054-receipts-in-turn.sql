-- When the receipts of the send are read next; null: not any more, or not yet.
alter table sends add column receipts_due_at timestamptz;
update sends set receipts_due_at = updated_at
where platform in ('facebook', 'instagram', 'whatsapp') and accepted > 0
  and (ended_at is null or ended_at > now() - interval '7 days');
-- Of all bots, because one task reads the receipts of all of them in turn.
create index sends_receipts_due on sends (receipts_due_at, bot_id, send_id) where receipts_due_at is not null;
drop index sends_receipts;
alter table sends drop column receipts_at;
