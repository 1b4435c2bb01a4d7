-- Bots, their channels and their API pairs. Secrets are kept encrypted (channels) or hashed (pairs).

create table bots (
  bot_id text collate "C" primary key,
  name text not null,
  time_zone text not null default 'Asia/Taipei',
  conversation_gap_seconds integer not null default 900 check (conversation_gap_seconds > 0),
  line_program text check (line_program in ('輕用量', '中用量', '高用量')),
  created_at timestamptz not null default now()
);

-- Sealed columns hold AES-256-GCM boxes (src/bots/seal.ts).
create table channels (
  bot_id text collate "C" not null references bots,
  platform text collate "C" not null check (platform in ('line', 'facebook', 'instagram', 'liveChat', 'whatsapp')),
  enabled boolean not null default true,
  -- The account the channel stands for: LINE's destination, a page, account or phone number id. Null: not checked (LINE only).
  account_id text,
  secret_sealed bytea not null,
  previous_secret_sealed bytea,
  previous_secret_until timestamptz,
  verify_token_sealed bytea,
  access_token_sealed bytea,
  -- Live chat: web origins whose pages may carry the widget; empty: any.
  allowed_origins text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (bot_id, platform)
);

-- A bot has one pair that is valid (replaced_at is null); the ones before it are remembered to be refused by their own error.
create table api_pairs (
  bot_id text collate "C" not null references bots,
  pair_id text collate "C" not null,
  secret_hash bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  replaced_at timestamptz,
  primary key (bot_id, pair_id)
);
create unique index api_pairs_valid on api_pairs (bot_id) where replaced_at is null;
