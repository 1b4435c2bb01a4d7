-- Stopped sends whose calls have no result, paused sends that are deleted after some time, and the order of receipts.

create index sends_open on sends (bot_id, platform, due_at) where state = 'stopped' and settled < claimed;
create index sends_paused on sends (bot_id, updated_at) where state = 'paused';

-- Sends that ended in a run with a failure had no end.
update sends set ended_at = updated_at where state = 'done' and ended_at is null;

-- When the receipts of the send were read last; null: never.
alter table sends add column receipts_at timestamptz;
create index sends_receipts on sends (bot_id, receipts_at nulls first, send_id)
  where platform in ('facebook', 'instagram', 'whatsapp') and accepted > 0;
