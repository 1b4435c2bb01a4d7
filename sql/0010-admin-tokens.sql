-- Who may use the management API, and the way to a bot's conversations by time.

-- Tokens of the management API; of each the SHA-256 only. Like `migrations`, the table describes the installation and not a bot:
-- a token may be for several bots, or for all.
create table admin_tokens (
  token_id text collate "C" primary key,
  name text not null,
  scope text collate "C" not null check (scope in ('read', 'write', 'admin')),
  -- Null: all bots, those that are yet to be made too.
  bot_ids text[] collate "C" check (cardinality(bot_ids) > 0),
  token_hash bytea not null unique,
  created_at timestamptz not null,
  -- Written at most once a minute.
  last_used_at timestamptz,
  revoked_at timestamptz
);

-- A range of conversations is listed page by page. A run that grows changes none of these columns. The time is an expression,
-- so that nobody who looks for one contact's runs, in order of first_at, can take this index for the way to them.
create index conversations_by_time on conversations (bot_id, (first_at at time zone 'UTC'), contact_id);
