-- LINE: access by the channel's id. Shoal issues short-lived tokens with it and the channel secret, or with the assertion key.

alter table channels
  -- The id of the channel in LINE's console. It also names the channel of tokens that LINE verifies.
  add column channel_id text collate "C",
  -- The private key of a v2.1 assertion, a JSON Web Key with its kid; null: the channel secret is used.
  add column assertion_key_sealed bytea;
-- A revoked token is recognized, so that LINE is never asked about it.
create index line_tokens_revoked on line_tokens (token_hash) where revoked_at is not null;
-- A caller with a token of LINE names no bot.
create index channels_by_channel_id on channels (channel_id) where channel_id is not null;
