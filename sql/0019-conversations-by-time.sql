-- The list of conversations is read by time. Without the contact in this index: with it, the fold's look-ups of one contact's
-- conversations were planned through it, and went over all conversations of the bot.
drop index conversations_by_time;
create index conversations_by_time on conversations (bot_id, (first_at at time zone 'UTC'));
