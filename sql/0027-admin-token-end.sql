-- Null: the token never expires.
alter table admin_tokens add column expires_at timestamptz;
