-- Recipients that wait for another call have positions after this one; null: none waits. An index of them would make each result
-- write to all indexes, because it would depend on the state.
alter table sends add column waiting_after bigint;
update sends set waiting_after = waiting.first - 1
from (
  select bot_id, send_id, min(position) as first from send_recipients where state = 'waiting' group by bot_id, send_id
) waiting
where sends.bot_id = waiting.bot_id and sends.send_id = waiting.send_id;
drop index send_recipients_waiting;
-- Room for the results of all recipients of a page.
alter table send_recipients set (fillfactor = 35);
