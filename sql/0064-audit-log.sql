-- Who changed what in this installation. Rows are added with the change, deleted by age, and never updated.
create table audit_entries (
  entry_id bigint generated always as identity primary key,
  happened_at timestamptz not null,
  origin text collate "C" not null check (origin in ('dashboard', 'api', 'command')),
  actor_kind text collate "C" not null check (actor_kind in ('user', 'token', 'link', 'command')),
  -- Null: the actor of a command or of a link.
  actor_id text collate "C",
  -- The name at that time.
  actor_name text not null,
  -- Null: a command.
  address text,
  -- The id of the operation in the contract, or the words of the command.
  operation text collate "C" not null,
  -- Null: the change concerns no single bot.
  bot_id text collate "C",
  subject_kind text collate "C",
  subject_id text collate "C",
  subject_name text,
  -- The changed members, secrets masked. Null: the subject did not exist, or the operation changes no stored settings.
  before jsonb,
  after jsonb
);
create index audit_entries_by_bot on audit_entries (bot_id, entry_id);
create index audit_entries_by_time on audit_entries (happened_at);

-- No statement can change an entry.
create rule audit_entries_append_only as on update to audit_entries do instead nothing;
