-- Which secret key seals the credentials of this database, so that no process starts with another one.
-- At most one row: it describes the database, not a bot.
create table secret_key (
  id boolean primary key default true check (id),
  -- Derived from the key; says nothing of it.
  fingerprint text collate "C" not null,
  -- While a rotation runs: the key before, which some credentials are still sealed with.
  previous_fingerprint text collate "C",
  set_at timestamptz not null
);
