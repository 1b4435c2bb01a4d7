-- Work of a team on live chats: the user who answers a chat, and notes that visitors never see.
alter table chat_visitors add column assignee_id text collate "C";

create table chat_notes (
  bot_id text collate "C" not null,
  visitor_id text collate "C" not null,
  -- A ULID of the caller: a repeated call stores the note once.
  note_id text collate "C" not null,
  -- The name of the user or token at that time.
  author text not null,
  text text not null,
  created_at timestamptz not null,
  primary key (bot_id, visitor_id, note_id)
);
alter table chat_notes alter column bot_id set statistics 0;
