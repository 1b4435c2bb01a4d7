-- Who uses the dashboard: users with their passwords, the sessions of browsers, and attempts to sign in. Like `admin_tokens`,
-- these tables describe the installation and not a bot.

create table users (
  user_id text collate "C" primary key,
  name text not null,
  -- The name as names are compared, so that two cannot be taken for one another.
  name_key text collate "C" not null unique,
  scope text collate "C" not null check (scope in ('read', 'write', 'admin')),
  -- Null: all bots, those that are yet to be made too.
  bot_id text collate "C",
  -- scrypt with its parameters and salt: $scrypt$ln=15,r=8,p=3$salt$hash
  password_hash text collate "C" not null,
  created_at timestamptz not null,
  last_sign_in_at timestamptz
);

-- What a session may do is looked up with its user or its admin token each time, so it stands there and not here.
create table sessions (
  -- SHA-256 of what the cookie holds.
  session_hash bytea primary key,
  user_id text collate "C" references users on delete cascade,
  token_id text collate "C" references admin_tokens on delete cascade,
  created_at timestamptz not null,
  -- Written at most once a minute.
  seen_at timestamptz not null,
  ends_at timestamptz not null,
  check (num_nonnulls(user_id, token_id) = 1)
);
create index sessions_by_user on sessions (user_id);

-- By whom: a keyed hash of a name or of an address, for what is typed as a name may be a password.
create table sign_in_attempts (
  subject bytea primary key,
  failures integer not null check (failures >= 0),
  failed_at timestamptz not null,
  locked_until timestamptz
);
