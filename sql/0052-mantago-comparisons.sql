-- MantaGo's figures next to Shoal's, one comparison after the other.
create table mantago_comparisons (
  bot_id text collate "C" not null,
  compared_at timestamptz not null,
  -- The largest gap that the comparison allowed, in percent.
  tolerance double precision not null check (tolerance >= 0),
  -- Figures with a larger gap.
  beyond integer not null,
  -- [{"call", "figure", "ours", "theirs", "gap", "percent", "isBeyond", "reason"}]
  figures jsonb not null,
  primary key (bot_id, compared_at)
);

-- The daily comparison, claimed by `next_at`; without a row there is none.
create table mantago_watches (
  bot_id text collate "C" primary key,
  tolerance double precision not null check (tolerance >= 0),
  -- How many clients are compared one by one.
  sample integer not null check (sample between 1 and 100),
  next_at timestamptz not null,
  failures integer not null default 0,
  problem text,
  updated_at timestamptz not null
) with (fillfactor = 50);

-- Why: see 0002-inbox.sql.
alter table mantago_comparisons alter column bot_id set statistics 0;
