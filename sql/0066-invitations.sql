-- Users of several bots, disabled users, and links that invite.
alter table users add column bot_ids text[] collate "C" check (cardinality(bot_ids) > 0), add column disabled_at timestamptz;
update users set bot_ids = array[bot_id] where bot_id is not null;
alter table users drop column bot_id;

create table invitations (
  invitation_id text collate "C" primary key,
  -- SHA-256 of the token in the link.
  token_hash bytea not null unique,
  scope text collate "C" not null check (scope in ('read', 'write', 'admin')),
  -- Null: all bots.
  bot_ids text[] collate "C" check (cardinality(bot_ids) > 0),
  -- The name of the user or token at that time.
  created_by text not null,
  -- The id of that user or token. The invitation ends when it loses rights.
  creator_id text collate "C" not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
