-- Moving in from MantaGo (docs/mantago.md): its data are walked step by step, and each step is one transaction.

-- The business's bot at MantaGo. Steps only read this row, so that a rotation of the secret key never waits for them.
create table mantago_connections (
  bot_id text collate "C" primary key,
  address text not null,
  -- MantaGo's id of the bot.
  their_bot_id text not null,
  token_sealed bytea not null,
  secret_sealed bytea not null,
  calls_per_minute integer not null check (calls_per_minute between 1 and 6000),
  updated_at timestamptz not null
);

-- The latest walk. A step claims it by `next_at`.
create table mantago_imports (
  bot_id text collate "C" primary key,
  -- `stopped`: by a person, or because MantaGo refuses the connection; `problem` has the reason then.
  state text collate "C" not null check (state in ('running', 'stopped', 'done')),
  -- The number of the walk: 1 for the first one, then one more for each update.
  run integer not null,
  phase text collate "C" not null,
  -- How far the phase has come.
  cursor jsonb not null default '{}',
  -- The undocumented member of a listed client that holds its encoded id; null: none is known.
  encoded_member text,
  -- Clients at MantaGo, as its analysis reports them; null: not known yet.
  expected bigint,
  -- What this walk has read and changed, by name.
  counts jsonb not null default '{}',
  calls bigint not null default 0,
  -- No call before; null: now.
  next_at timestamptz,
  failures integer not null default 0,
  problem text,
  started_at timestamptz not null,
  updated_at timestamptz not null,
  ended_at timestamptz
) with (fillfactor = 50);

-- What a later step asks MantaGo for: the points of a client (`points`), or the client of an encoded id (`encoded`).
create table mantago_queue (
  bot_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('points', 'encoded')),
  -- '' for encoded ids.
  platform text collate "C" not null,
  -- As MantaGo writes it.
  client_id text collate "C" not null,
  -- The same as Shoal writes it.
  contact text collate "C" not null,
  primary key (bot_id, kind, platform, client_id)
);
create index mantago_queue_of_contact on mantago_queue (bot_id, platform, contact);

-- What the latest walk could not bring over.
create table mantago_problems (
  bot_id text collate "C" not null,
  reason text collate "C" not null,
  -- '' if it concerns no client.
  platform text collate "C" not null,
  -- A client id, an encoded id or the name of a tag.
  subject text collate "C" not null,
  detail text not null,
  primary key (bot_id, reason, platform, subject)
);
create index mantago_problems_of_client on mantago_problems (bot_id, platform, subject);

-- MantaGo's followers at the end of each day. No figure of Shoal's reads them.
create table mantago_days (
  bot_id text collate "C" not null,
  platform text collate "C" not null,
  day date not null,
  followers bigint not null,
  primary key (bot_id, platform, day)
);

-- MantaGo's answers to both analysis calls, as they were.
create table mantago_answers (
  bot_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('clients', 'messages')),
  asked_at timestamptz not null,
  answer jsonb not null,
  primary key (bot_id, kind, asked_at)
);

-- Why: see 0002-inbox.sql.
alter table mantago_queue alter column bot_id set statistics 0;
alter table mantago_problems alter column bot_id set statistics 0;
alter table mantago_days alter column bot_id set statistics 0;
alter table mantago_answers alter column bot_id set statistics 0;
