-- Links that create a user without signing in, once and within an hour.
create table setup_links (
  -- SHA-256 of the token in the link.
  token_hash bytea primary key,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
