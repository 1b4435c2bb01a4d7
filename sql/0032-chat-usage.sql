-- Bytes of live chat messages, by the bot's days. They bound how much visitors can store.
create table chat_usage (
  bot_id text collate "C" not null,
  day date not null,
  kind text collate "C" not null check (kind in ('visitor', 'address', 'bot')),
  -- The visitor's id; a keyed hash of the caller's network; empty for the whole bot.
  key text collate "C" not null,
  bytes bigint not null,
  primary key (bot_id, day, kind, key)
) with (fillfactor = 50);
-- Why: see 0002-inbox.sql.
alter table chat_usage alter column bot_id set statistics 0;

-- Whether an agent or a bot program has written to the visitor: then the visitor may send images.
alter table chat_visitors add column answered boolean not null default false;
update chat_visitors set answered = true
where exists (
  select from chat_messages
  where chat_messages.bot_id = chat_visitors.bot_id and chat_messages.visitor_id = chat_visitors.visitor_id
    and sender <> 'visitor');
