-- What a token for LINE's calls opens, and until when.

alter table line_tokens
  -- insight: LINE Insight calls; send: sending, too; all: every call. Tokens made before had no scope. They keep the least.
  add column scope text collate "C" not null default 'insight' check (scope in ('insight', 'send', 'all')),
  -- Null: no end.
  add column expires_at timestamptz;
update line_tokens set scope = 'all' where kind = 'channel';
alter table line_tokens
  alter column scope drop default,
  add check (kind = 'made' or (scope = 'all' and expires_at is null));
