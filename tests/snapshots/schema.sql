create table api_pairs (
 bot_id text collate "C" not null,
 pair_id text collate "C" not null,
 secret_hash bytea not null,
 created_at timestamp with time zone not null,
 expires_at timestamp with time zone not null,
 replaced_at timestamp with time zone,
 FOREIGN KEY (bot_id) REFERENCES bots(bot_id),
 PRIMARY KEY (bot_id, pair_id)
);
CREATE UNIQUE INDEX api_pairs_valid ON public.api_pairs USING btree (bot_id) WHERE (replaced_at IS NULL);

create table bots (
 bot_id text collate "C" not null,
 name text not null,
 time_zone text not null default 'Asia/Taipei'::text,
 conversation_gap_seconds integer not null default 900,
 line_program text,
 created_at timestamp with time zone not null default now(),
 CHECK ((conversation_gap_seconds > 0)),
 CHECK ((line_program = ANY (ARRAY['輕用量'::text, '中用量'::text, '高用量'::text]))),
 PRIMARY KEY (bot_id)
);

create table channels (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 enabled boolean not null default true,
 account_id text,
 secret_sealed bytea not null,
 previous_secret_sealed bytea,
 previous_secret_until timestamp with time zone,
 verify_token_sealed bytea,
 access_token_sealed bytea,
 allowed_origins text[] not null default '{}'::text[],
 created_at timestamp with time zone not null default now(),
 updated_at timestamp with time zone not null default now(),
 CHECK ((platform = ANY (ARRAY['line'::text, 'facebook'::text, 'instagram'::text, 'liveChat'::text, 'whatsapp'::text]))),
 FOREIGN KEY (bot_id) REFERENCES bots(bot_id),
 PRIMARY KEY (bot_id, platform)
);

create table contact_tags (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 tag text collate "C" not null,
 created_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, contact_id, tag)
);
CREATE INDEX contact_tags_by_tag ON public.contact_tags USING btree (bot_id, tag);

create table contacts (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 platform text collate "C" not null,
 platform_contact_id text collate "C" not null,
 merged_into text collate "C",
 followed_at timestamp with time zone,
 blocked boolean not null default false,
 ever_blocked boolean not null default false,
 created_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, contact_id),
 UNIQUE (bot_id, platform, platform_contact_id)
);
CREATE INDEX contacts_joined ON public.contacts USING btree (bot_id, contact_id) INCLUDE (merged_into) WHERE (merged_into IS NOT NULL);
CREATE INDEX contacts_merged ON public.contacts USING btree (bot_id, merged_into) WHERE (merged_into IS NOT NULL);

create table conversations (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 first_at timestamp with time zone not null,
 last_at timestamp with time zone not null,
 platform text collate "C" not null,
 inbound integer not null,
 outbound integer not null,
 PRIMARY KEY (bot_id, contact_id, first_at)
);

create table days (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 zone text collate "C" not null,
 day date not null,
 followers bigint not null default 0,
 blocks bigint not null default 0,
 inbound bigint not null default 0,
 outbound bigint not null default 0,
 conversations bigint not null default 0,
 conversation_messages bigint not null default 0,
 conversation_ms bigint not null default 0,
 PRIMARY KEY (bot_id, platform, zone, day)
);

create table deliveries (
 bot_id text collate "C" not null,
 delivery_id bigint not null generated as identity,
 platform text collate "C" not null,
 received_at timestamp with time zone not null,
 body bytea not null,
 set_aside_reason text,
 PRIMARY KEY (bot_id, delivery_id)
);
CREATE INDEX deliveries_set_aside ON public.deliveries USING btree (bot_id, delivery_id) WHERE (set_aside_reason IS NOT NULL);

create table events (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 key text collate "C" not null,
 kind text collate "C" not null,
 detail text,
 contact_id text collate "C",
 happened_at timestamp with time zone not null,
 received_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, platform, key)
);
CREATE INDEX events_of_contact ON public.events USING btree (bot_id, contact_id, happened_at) WHERE (contact_id IS NOT NULL);

create table line_interaction_counts (
 bot_id text collate "C" not null,
 request_id text collate "C" not null,
 kind text collate "C" not null,
 seq integer not null,
 url_hash bytea not null,
 url text not null,
 total bigint not null,
 people bigint not null,
 CHECK ((kind = ANY (ARRAY['impression'::text, 'click'::text, 'media-play'::text, 'media-play-25'::text, 'media-play-50'::text, 'media-play-75'::text, 'media-play-100'::text]))),
 CHECK ((seq >= 0)),
 PRIMARY KEY (bot_id, request_id, kind, seq, url_hash)
);

create table line_interaction_people (
 bot_id text collate "C" not null,
 request_id text collate "C" not null,
 kind text collate "C" not null,
 seq integer not null,
 url_hash bytea not null,
 person text collate "C" not null,
 PRIMARY KEY (bot_id, request_id, kind, seq, url_hash, person)
);

create table line_message_events (
 bot_id text collate "C" not null,
 request_id text collate "C" not null,
 value jsonb not null,
 received_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, request_id)
);

create table line_send_days (
 bot_id text collate "C" not null,
 day date not null,
 kind text collate "C" not null,
 recipients bigint not null default 0,
 unknown_sends bigint not null default 0,
 PRIMARY KEY (bot_id, day, kind)
);

create table line_sends (
 bot_id text collate "C" not null,
 request_id text collate "C" not null,
 kind text collate "C" not null,
 unit text collate "C",
 recipients bigint,
 sent_at timestamp with time zone not null,
 CHECK ((kind = ANY (ARRAY['push'::text, 'multicast'::text, 'broadcast'::text, 'narrowcast'::text, 'reply'::text]))),
 CHECK ((recipients >= 0)),
 PRIMARY KEY (bot_id, request_id)
);
CREATE INDEX line_sends_of_unit ON public.line_sends USING btree (bot_id, unit, sent_at) WHERE (unit IS NOT NULL);

create table line_tokens (
 bot_id text collate "C" not null,
 token_id text collate "C" not null,
 kind text collate "C" not null,
 token_hash bytea not null,
 created_at timestamp with time zone not null,
 revoked_at timestamp with time zone,
 CHECK ((kind = ANY (ARRAY['channel'::text, 'made'::text]))),
 PRIMARY KEY (bot_id, token_id)
);
CREATE INDEX line_tokens_by_hash ON public.line_tokens USING btree (token_hash) WHERE (revoked_at IS NULL);
CREATE UNIQUE INDEX line_tokens_of_channel ON public.line_tokens USING btree (bot_id) WHERE ((kind = 'channel'::text) AND (revoked_at IS NULL));

create table line_unit_events (
 bot_id text collate "C" not null,
 unit text collate "C" not null,
 first_day date not null,
 last_day date not null,
 value jsonb not null,
 received_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, unit, first_day, last_day)
);

create table migrations (
 name text collate "C" not null,
 checksum text collate "C" not null,
 ran_at timestamp with time zone not null default now(),
 PRIMARY KEY (name)
);

create table pending_deliveries (
 bot_id text collate "C" not null,
 delivery_id bigint not null,
 bytes integer not null,
 PRIMARY KEY (bot_id, delivery_id)
);

create table point_accounts (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 balance bigint not null default 0,
 next_expiry_at timestamp with time zone,
 lasting bigint not null default 0,
 CHECK (((balance >= 0) AND (balance <= '9007199254740991'::bigint))),
 CHECK ((lasting >= 0)),
 PRIMARY KEY (bot_id, contact_id)
);

create table point_entries (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 entry_id bigint not null generated as identity,
 kind text collate "C" not null,
 amount bigint not null,
 balance_after bigint not null,
 expires_at timestamp with time zone,
 key text collate "C",
 created_at timestamp with time zone not null,
 leads boolean not null default true,
 parts jsonb,
 counterpart_id text collate "C",
 pair_id bigint,
 reverses bigint,
 reason text collate "C",
 bulk jsonb,
 CHECK (
CASE
    WHEN (kind = 'earn'::text) THEN (amount > 0)
    WHEN (kind = ANY (ARRAY['spend'::text, 'expire'::text])) THEN (amount < 0)
    WHEN (kind = 'clear'::text) THEN (amount <= 0)
    WHEN (kind = 'reverse'::text) THEN true
    ELSE (amount <> 0)
END),
 CHECK ((balance_after >= 0)),
 CHECK (((bulk IS NULL) OR (leads AND (kind = 'earn'::text)))),
 CHECK (((kind = 'expire'::text) = (key IS NULL))),
 CHECK ((kind = ANY (ARRAY['earn'::text, 'spend'::text, 'transfer'::text, 'adjust'::text, 'reverse'::text, 'clear'::text, 'expire'::text]))),
 CHECK ((((pair_id IS NULL) = (counterpart_id IS NULL)) AND
CASE kind
    WHEN 'transfer'::text THEN (pair_id IS NOT NULL)
    WHEN 'reverse'::text THEN true
    ELSE (pair_id IS NULL)
END)),
 CHECK (((kind = 'adjust'::text) = (reason IS NOT NULL))),
 CHECK (((kind = 'reverse'::text) = (reverses IS NOT NULL))),
 PRIMARY KEY (bot_id, contact_id, entry_id)
);
CREATE UNIQUE INDEX point_entries_key ON public.point_entries USING btree (bot_id, key) WHERE (leads AND (key IS NOT NULL));
CREATE UNIQUE INDEX point_entries_reverses ON public.point_entries USING btree (bot_id, reverses) WHERE (reverses IS NOT NULL);

create table point_lots (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 expires_at timestamp with time zone not null,
 remaining bigint not null,
 CHECK ((remaining > 0)),
 PRIMARY KEY (bot_id, contact_id, expires_at)
);
CREATE INDEX point_lots_expiring ON public.point_lots USING btree (bot_id, expires_at);

create table snapshots (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 day date not null,
 status text not null,
 value jsonb not null,
 received_at timestamp with time zone not null,
 CHECK ((kind = ANY (ARRAY['followers'::text, 'delivery'::text, 'demographic'::text, 'quota'::text]))),
 CHECK ((status = ANY (ARRAY['ready'::text, 'unready'::text, 'out_of_service'::text]))),
 PRIMARY KEY (bot_id, kind, day)
);

create table totals (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 followers bigint not null default 0,
 blocks bigint not null default 0,
 inbound bigint not null default 0,
 outbound bigint not null default 0,
 conversations bigint not null default 0,
 conversation_messages bigint not null default 0,
 conversation_ms bigint not null default 0,
 tagged_contacts bigint not null default 0,
 PRIMARY KEY (bot_id, platform)
);
