-- What is asked of LINE about a bot's channel, what was answered, and which calls may still be made.

-- One kind of LINE's figures, and how its collecting stands.
create table line_collections (
  bot_id text collate "C" not null,
  kind text collate "C" not null,
  -- Days before are not wanted; null: as far back as LINE tells.
  from_day date,
  state text collate "C" not null default 'new' check (state in
    ('new', 'resting', 'out-of-calls', 'limited', 'unavailable', 'token-refused', 'sealed', 'unreachable', 'nonsense')),
  -- What is wrong, for a person to read.
  problem text,
  -- There is nothing to do before; null: look now.
  look_at timestamptz,
  paused_until timestamptz,
  -- Calls that failed, one after the other.
  failures integer not null default 0,
  -- The access token that LINE refused; another one may be tried.
  refused_token_id text collate "C",
  -- Sends recorded before have their questions.
  sends_seen_at timestamptz,
  answered_at timestamptz,
  primary key (bot_id, kind)
) with (fillfactor = 50);

-- One thing to be asked: a day, a send, a unit on its days, or (empty) what stands now.
create table line_questions (
  bot_id text collate "C" not null,
  kind text collate "C" not null,
  subject text collate "C" not null,
  -- Null: LINE has said its last word.
  ask_at timestamptz,
  -- What LINE says from then on is its last word; null: it never is.
  settled_at timestamptz,
  -- Of the latest answer; null: none yet.
  outcome text collate "C" check (outcome in ('ready', 'unready', 'out-of-service', 'withheld', 'unknown')),
  failures integer not null default 0,
  problem text,
  -- SHA-256 of the entry that went into the inbox last, so that only what differs goes in again.
  entry_hash bytea,
  answered_at timestamptz,
  primary key (bot_id, kind, subject)
);
create index line_questions_open on line_questions (bot_id, kind, ask_at) where ask_at is not null;

-- LINE's limit of calls, kept apart from the collection so that a call is counted before it is made, whatever becomes of it.
create table line_call_limits (
  bot_id text collate "C" not null,
  kind text collate "C" not null,
  -- When the bucket is full again (src/collect/call-limit.ts).
  full_at timestamptz not null,
  primary key (bot_id, kind)
) with (fillfactor = 50);

-- The sends that LINE has statistics of, by time, so that new ones are found without reading all.
create index line_sends_with_statistics on line_sends (bot_id, sent_at)
  where kind in ('broadcast', 'narrowcast') or unit is not null;

-- The counters of LINE's own send calls.
alter table snapshots drop constraint snapshots_kind_check;
alter table snapshots add constraint snapshots_kind_check check (kind in ('followers', 'delivery', 'demographic', 'quota',
  'sent-reply', 'sent-push', 'sent-multicast', 'sent-broadcast'));

-- Why: see 0002-inbox.sql.
alter table line_collections alter column bot_id set statistics 0;
alter table line_questions alter column bot_id set statistics 0;
alter table line_call_limits alter column bot_id set statistics 0;
