-- Links that create a user without signing in, once and within an hour.
create table setup_links (
  -- SHA-256 of the token in the link.
  token_hash bytea primary key,
  -- Valid only while there is no user and no admin token.
  is_first boolean not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
