create table access_tokens (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 token_id text collate "C" not null,
 checked_at timestamp with time zone,
 expires_at timestamp with time zone,
 missing_permissions text[] not null default '{}'::text[],
 problem text,
 CHECK ((platform = ANY (ARRAY['facebook'::text, 'instagram'::text, 'whatsapp'::text]))),
 PRIMARY KEY (bot_id, platform)
);

create table admin_tokens (
 token_id text collate "C" not null,
 name text not null,
 scope text collate "C" not null,
 bot_ids text[] collate "C",
 token_hash bytea not null,
 created_at timestamp with time zone not null,
 last_used_at timestamp with time zone,
 revoked_at timestamp with time zone,
 expires_at timestamp with time zone,
 CHECK ((cardinality(bot_ids) > 0)),
 CHECK ((scope = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text]))),
 PRIMARY KEY (token_id),
 UNIQUE (token_hash)
);

create table alert_checks (
 only_one boolean not null default true,
 next_at timestamp with time zone not null,
 last_bundle_id bigint not null default 0,
 CHECK (only_one),
 PRIMARY KEY (only_one)
);

create table alert_reports (
 bot_id text collate "C" not null,
 alert_id bigint not null,
 phase text collate "C" not null,
 target_id bigint not null,
 key uuid not null default gen_random_uuid(),
 state text collate "C" not null default 'pending'::text,
 attempts integer not null default 0,
 created_at timestamp with time zone not null,
 due_at timestamp with time zone not null,
 claimed_until timestamp with time zone,
 ended_at timestamp with time zone,
 problem text,
 CHECK ((phase = ANY (ARRAY['begin'::text, 'end'::text, 'test'::text]))),
 CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'given-up'::text]))),
 PRIMARY KEY (bot_id, alert_id, target_id, phase)
);
CREATE INDEX alert_reports_pending ON public.alert_reports USING btree (bot_id, due_at) WHERE (state = 'pending'::text);

create table alert_rules (
 bot_id text collate "C" not null,
 rule text collate "C" not null,
 enabled boolean not null,
 threshold double precision,
 from_hour integer,
 until_hour integer,
 weekdays integer[],
 updated_at timestamp with time zone not null,
 CHECK (((from_hour >= 0) AND (from_hour <= 23))),
 CHECK (((until_hour >= 1) AND (until_hour <= 24))),
 PRIMARY KEY (bot_id, rule)
);

create table alert_secrets (
 bot_id text collate "C" not null,
 secret_sealed bytea not null,
 created_at timestamp with time zone not null,
 PRIMARY KEY (bot_id)
);

create table alert_targets (
 bot_id text collate "C" not null,
 target_id bigint not null generated as identity,
 kind text collate "C" not null,
 address text not null,
 language text collate "C" not null,
 created_at timestamp with time zone not null,
 CHECK ((kind = ANY (ARRAY['email'::text, 'webhook'::text, 'line'::text]))),
 CHECK ((language = ANY (ARRAY['en'::text, 'ja'::text, 'zh-Hant'::text]))),
 PRIMARY KEY (bot_id, target_id),
 UNIQUE (bot_id, kind, address)
);

create table alerts (
 bot_id text collate "C" not null,
 alert_id bigint not null generated as identity,
 rule text collate "C" not null,
 subject text collate "C" not null,
 value double precision not null,
 threshold double precision not null,
 began_at timestamp with time zone not null,
 ended_at timestamp with time zone,
 calm_since timestamp with time zone,
 PRIMARY KEY (bot_id, alert_id)
);
CREATE UNIQUE INDEX alerts_running ON public.alerts USING btree (bot_id, rule, subject) WHERE (ended_at IS NULL);

create table annotations (
 bot_id text collate "C" not null,
 annotation_id text collate "C" not null,
 day date not null,
 body text not null,
 created_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, annotation_id)
);
CREATE INDEX annotations_by_day ON public.annotations USING btree (bot_id, day);

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

create table audit_entries (
 entry_id bigint not null generated as identity,
 happened_at timestamp with time zone not null,
 origin text collate "C" not null,
 actor_kind text collate "C" not null,
 actor_id text collate "C",
 actor_name text not null,
 address text,
 operation text collate "C" not null,
 bot_id text collate "C",
 subject_kind text collate "C",
 subject_id text collate "C",
 subject_name text,
 before jsonb,
 after jsonb,
 CHECK ((actor_kind = ANY (ARRAY['user'::text, 'token'::text, 'link'::text, 'command'::text]))),
 CHECK ((origin = ANY (ARRAY['dashboard'::text, 'api'::text, 'command'::text]))),
 PRIMARY KEY (entry_id)
);
CREATE INDEX audit_entries_by_bot ON public.audit_entries USING btree (bot_id, entry_id);
CREATE INDEX audit_entries_by_time ON public.audit_entries USING btree (happened_at);

create table bots (
 bot_id text collate "C" not null,
 name text not null,
 time_zone text not null default 'Asia/Taipei'::text,
 conversation_gap_seconds integer not null default 900,
 line_program text,
 created_at timestamp with time zone not null default now(),
 snapshot_version bigint not null default 0,
 CHECK ((conversation_gap_seconds > 0)),
 CHECK ((line_program = ANY (ARRAY['輕用量'::text, '中用量'::text, '高用量'::text]))),
 PRIMARY KEY (bot_id)
);

create table callbacks (
 bot_id text collate "C" not null,
 url text not null,
 secret_sealed bytea not null,
 previous_secret_sealed bytea,
 previous_secret_until timestamp with time zone,
 disabled_at timestamp with time zone,
 standing text collate "C" not null default 'new'::text,
 paused_until timestamp with time zone,
 created_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 CHECK ((standing = ANY (ARRAY['new'::text, 'good'::text, 'poor'::text]))),
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
 track_clicks boolean not null default false,
 widget_key_hashes bytea[] not null default '{}'::bytea[],
 identity_required boolean not null default false,
 identity_key_sealed bytea,
 channel_id text collate "C",
 assertion_key_sealed bytea,
 business_account_id text collate "C",
 CHECK ((platform = ANY (ARRAY['line'::text, 'facebook'::text, 'instagram'::text, 'liveChat'::text, 'whatsapp'::text]))),
 FOREIGN KEY (bot_id) REFERENCES bots(bot_id),
 PRIMARY KEY (bot_id, platform)
);
CREATE INDEX channels_by_channel_id ON public.channels USING btree (channel_id) WHERE (channel_id IS NOT NULL);
CREATE INDEX channels_of_widget_key ON public.channels USING gin (widget_key_hashes);

create table chat_images (
 bot_id text collate "C" not null,
 visitor_id text collate "C" not null,
 message_id text collate "C" not null,
 content bytea not null,
 sent_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, visitor_id, message_id)
);
CREATE INDEX chat_images_by_age ON public.chat_images USING btree (bot_id, sent_at);

create table chat_messages (
 bot_id text collate "C" not null,
 visitor_id text collate "C" not null,
 sequence bigint not null,
 message_id text collate "C" not null,
 sender text collate "C" not null,
 agent_name text,
 text text,
 image_type text collate "C",
 image_bytes integer,
 image_hash bytea,
 quick_replies text[] not null default '{}'::text[],
 sent_at timestamp with time zone not null,
 CHECK (((text IS NULL) = (image_type IS NOT NULL))),
 CHECK ((sender = ANY (ARRAY['visitor'::text, 'agent'::text, 'bot'::text]))),
 PRIMARY KEY (bot_id, visitor_id, sequence),
 UNIQUE (bot_id, visitor_id, message_id)
);

create table chat_notes (
 bot_id text collate "C" not null,
 visitor_id text collate "C" not null,
 note_id text collate "C" not null,
 author text not null,
 text text not null,
 created_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, visitor_id, note_id)
);

create table chat_online (
 bot_id text collate "C" not null,
 visitor_id text collate "C" not null,
 process_id text collate "C" not null,
 online_until timestamp with time zone not null,
 PRIMARY KEY (bot_id, visitor_id, process_id)
);

create table chat_usage (
 bot_id text collate "C" not null,
 day date not null,
 kind text collate "C" not null,
 key text collate "C" not null,
 bytes bigint not null,
 CHECK ((kind = ANY (ARRAY['visitor'::text, 'address'::text, 'bot'::text]))),
 PRIMARY KEY (bot_id, day, kind, key)
);

create table chat_visitors (
 bot_id text collate "C" not null,
 visitor_id text collate "C" not null,
 identifier text collate "C",
 name text,
 language text,
 page_url text,
 page_title text,
 referrer text,
 last_sequence bigint not null default 0,
 last_message_at timestamp with time zone,
 seen_by_visitor bigint not null default 0,
 seen_by_business bigint not null default 0,
 closed boolean not null default false,
 created_at timestamp with time zone not null,
 session_at timestamp with time zone not null,
 answered boolean not null default false,
 assignee_id text collate "C",
 PRIMARY KEY (bot_id, visitor_id)
);
CREATE INDEX chat_visitors_newest ON public.chat_visitors USING btree (bot_id, last_message_at DESC, visitor_id) WHERE (last_message_at IS NOT NULL);
CREATE INDEX chat_visitors_silent ON public.chat_visitors USING btree (bot_id, session_at) WHERE ((last_message_at IS NULL) AND (identifier IS NULL));
CREATE UNIQUE INDEX chat_visitors_identified ON public.chat_visitors USING btree (bot_id, identifier) WHERE (identifier IS NOT NULL);

create table collection_call_limits (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 full_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, kind)
);

create table collection_questions (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 subject text collate "C" not null,
 ask_at timestamp with time zone,
 settled_at timestamp with time zone,
 outcome text collate "C",
 failures integer not null default 0,
 problem text,
 entry_hash bytea,
 answered_at timestamp with time zone,
 CHECK ((outcome = ANY (ARRAY['ready'::text, 'unready'::text, 'out-of-service'::text, 'withheld'::text, 'unknown'::text]))),
 PRIMARY KEY (bot_id, kind, subject)
);
CREATE INDEX collection_questions_open ON public.collection_questions USING btree (bot_id, kind, ask_at) WHERE (ask_at IS NOT NULL);

create table collections (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 from_day date,
 state text collate "C" not null default 'new'::text,
 problem text,
 look_at timestamp with time zone,
 paused_until timestamp with time zone,
 failures integer not null default 0,
 refused_token_id text collate "C",
 sends_seen_at timestamp with time zone,
 answered_at timestamp with time zone,
 CHECK ((state = ANY (ARRAY['new'::text, 'resting'::text, 'out-of-calls'::text, 'limited'::text, 'unavailable'::text, 'token-refused'::text, 'sealed'::text, 'unreachable'::text, 'nonsense'::text]))),
 PRIMARY KEY (bot_id, kind)
);

create table contact_pictures (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 url text not null,
 type text collate "C",
 content bytea,
 fetched_at timestamp with time zone not null,
 CHECK (((type IS NULL) = (content IS NULL))),
 PRIMARY KEY (bot_id, contact_id)
);

create table contact_profiles (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 customer_id text collate "C",
 name text,
 name_told_at timestamp with time zone,
 headshot text,
 remark text,
 user_name text,
 user_email text,
 user_phone text,
 user_birthday text,
 user_address text,
 updated_at timestamp with time zone not null,
 picture_url text,
 language text,
 status_message text,
 account_name text,
 PRIMARY KEY (bot_id, contact_id)
);
CREATE INDEX contact_profiles_by_customer ON public.contact_profiles USING btree (bot_id, customer_id) WHERE (customer_id IS NOT NULL);

create table contact_tags (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 created_at timestamp with time zone not null,
 tag_id text collate "C" not null,
 ends_at timestamp with time zone,
 PRIMARY KEY (bot_id, contact_id, tag_id)
);
CREATE INDEX contact_tags_by_tag ON public.contact_tags USING btree (bot_id, tag_id, contact_id);
CREATE INDEX contact_tags_ending ON public.contact_tags USING btree (bot_id, ends_at) WHERE (ends_at IS NOT NULL);

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
 forgotten_at timestamp with time zone,
 earlier_friend text collate "C",
 profile_due_at timestamp with time zone,
 listed_at timestamp with time zone,
 CHECK ((earlier_friend = ANY (ARRAY['friend'::text, 'blocker'::text]))),
 PRIMARY KEY (bot_id, contact_id),
 UNIQUE (bot_id, platform, platform_contact_id)
);
CREATE INDEX contacts_created ON public.contacts USING btree (bot_id, created_at, contact_id) WHERE (merged_into IS NULL);
CREATE INDEX contacts_followed ON public.contacts USING btree (bot_id, followed_at) WHERE (followed_at IS NOT NULL);
CREATE INDEX contacts_forgotten ON public.contacts USING btree (bot_id) WHERE (forgotten_at IS NOT NULL);
CREATE INDEX contacts_joined ON public.contacts USING btree (bot_id, contact_id) INCLUDE (merged_into) WHERE (merged_into IS NOT NULL);
CREATE INDEX contacts_listed ON public.contacts USING btree (bot_id, followed_at) WHERE (listed_at IS NOT NULL);
CREATE INDEX contacts_merged ON public.contacts USING btree (bot_id, merged_into) WHERE (merged_into IS NOT NULL);
CREATE INDEX contacts_profile_due ON public.contacts USING btree (bot_id, platform, profile_due_at) WHERE ((profile_due_at IS NOT NULL) AND (merged_into IS NULL) AND (forgotten_at IS NULL));

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
CREATE INDEX conversations_by_time ON public.conversations USING btree (bot_id, (first_at AT TIME ZONE 'UTC'::text));

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
 earlier_friends bigint not null default 0,
 earlier_blockers bigint not null default 0,
 PRIMARY KEY (bot_id, platform, zone, day)
);

create table deliveries (
 bot_id text collate "C" not null,
 delivery_id bigint not null generated as identity,
 platform text collate "C" not null,
 received_at timestamp with time zone not null,
 body bytea not null,
 set_aside_reason text,
 source text collate "C" not null default 'webhook'::text,
 CHECK ((source = ANY (ARRAY['webhook'::text, 'line-answer'::text, 'line-send'::text, 'live-chat'::text, 'history'::text, 'refused-send'::text]))) NOT VALID,
 PRIMARY KEY (bot_id, delivery_id)
);
CREATE INDEX deliveries_set_aside ON public.deliveries USING btree (bot_id, delivery_id) WHERE (set_aside_reason IS NOT NULL);

create table delivery_people (
 bot_id text collate "C" not null,
 last_delivery_id bigint not null,
 delivery_ids bigint[] not null,
 people bigint[] not null,
 PRIMARY KEY (bot_id, last_delivery_id)
);

create table delivery_people_positions (
 bot_id text collate "C" not null,
 delivery_id bigint not null,
 PRIMARY KEY (bot_id)
);

create table events (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 key text collate "C" not null,
 kind text collate "C" not null,
 detail text,
 contact_id text collate "C",
 happened_at timestamp with time zone not null,
 received_at timestamp with time zone not null,
 named_as text collate "C",
 PRIMARY KEY (bot_id, platform, key)
);
CREATE INDEX events_delivered ON public.events USING btree (bot_id, happened_at) WHERE ((platform = 'whatsapp'::text) AND (kind = 'status'::text) AND (detail = 'delivered'::text));
CREATE INDEX events_of_blocks ON public.events USING btree (bot_id, happened_at) WHERE (kind = ANY (ARRAY['follow'::text, 'unfollow'::text]));
CREATE INDEX events_of_contact ON public.events USING btree (bot_id, contact_id, happened_at) WHERE (contact_id IS NOT NULL);
CREATE INDEX events_without_contact ON public.events USING btree (bot_id, platform) WHERE ((contact_id IS NULL) AND (platform <> 'line'::text));

create table gift_grants (
 bot_id text collate "C" not null,
 grant_id bigint not null generated as identity,
 gift_id text collate "C" not null,
 contact_id text collate "C" not null,
 key text collate "C" not null,
 granted_by text,
 granted_at timestamp with time zone not null,
 redeem_key text collate "C",
 redeemed_by text,
 redeemed_at timestamp with time zone,
 CHECK (((redeem_key IS NULL) = (redeemed_at IS NULL))),
 PRIMARY KEY (bot_id, grant_id)
);
CREATE INDEX gift_grants_of_contact ON public.gift_grants USING btree (bot_id, contact_id, grant_id);
CREATE INDEX gift_grants_of_gift ON public.gift_grants USING btree (bot_id, gift_id, grant_id);
CREATE UNIQUE INDEX gift_grants_key ON public.gift_grants USING btree (bot_id, key);
CREATE UNIQUE INDEX gift_grants_redeem_key ON public.gift_grants USING btree (bot_id, redeem_key) WHERE (redeem_key IS NOT NULL);

create table gifts (
 bot_id text collate "C" not null,
 gift_id text collate "C" not null,
 name text collate "C" not null,
 kind text collate "C" not null,
 resource text not null,
 is_default boolean not null default false,
 stock bigint,
 granted bigint not null default 0,
 expires_at timestamp with time zone,
 created_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 CHECK (((stock IS NULL) OR (granted <= stock))),
 CHECK ((granted >= 0)),
 CHECK ((kind = ANY (ARRAY['ticket'::text, 'physical'::text, 'virtual'::text]))),
 CHECK ((stock >= 0)),
 PRIMARY KEY (bot_id, gift_id),
 UNIQUE (bot_id, name)
);
CREATE UNIQUE INDEX gifts_default ON public.gifts USING btree (bot_id) WHERE is_default;

create table hours (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 day date not null,
 hour smallint not null,
 inbound bigint not null default 0,
 outbound bigint not null default 0,
 CHECK (((hour >= 0) AND (hour <= 23))),
 PRIMARY KEY (bot_id, platform, day, hour)
);

create table invitations (
 invitation_id text collate "C" not null,
 token_hash bytea not null,
 scope text collate "C" not null,
 bot_ids text[] collate "C",
 created_by text not null,
 creator_id text collate "C" not null,
 created_at timestamp with time zone not null,
 expires_at timestamp with time zone not null,
 CHECK ((cardinality(bot_ids) > 0)),
 CHECK ((scope = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text]))),
 PRIMARY KEY (invitation_id),
 UNIQUE (token_hash)
);

create table jobs (
 bot_id text collate "C" not null,
 job_id bigint not null generated as identity,
 kind text collate "C" not null,
 contact_id text collate "C",
 state text collate "C" not null default 'running'::text,
 done bigint not null default 0,
 total bigint not null default 0,
 upto_id bigint not null,
 after_id bigint not null default 0,
 created_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 ended_at timestamp with time zone,
 failure text,
 attempts integer not null default 0,
 failed_at timestamp with time zone,
 retry_at timestamp with time zone,
 CHECK ((kind = ANY (ARRAY['forget'::text, 'replay'::text]))),
 CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'stopped'::text]))),
 PRIMARY KEY (bot_id, job_id)
);
CREATE INDEX jobs_next ON public.jobs USING btree (updated_at) WHERE (state = 'running'::text);
CREATE UNIQUE INDEX jobs_running ON public.jobs USING btree (bot_id, kind, COALESCE(contact_id, ''::text)) WHERE (state = 'running'::text);

create table line_clicks (
 bot_id text collate "C" not null,
 click_id text collate "C" not null,
 code text collate "C" not null,
 person text collate "C" not null,
 clicked_at timestamp with time zone not null,
 counted boolean not null default false,
 PRIMARY KEY (bot_id, click_id)
);
CREATE INDEX line_clicks_waiting ON public.line_clicks USING btree (bot_id, code) WHERE (NOT counted);

create table line_friend_lists (
 bot_id text collate "C" not null,
 state text collate "C" not null,
 next_page text,
 listed bigint not null default 0,
 added bigint not null default 0,
 next_at timestamp with time zone,
 failures integer not null default 0,
 problem text,
 started_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 next_page_at timestamp with time zone,
 CHECK ((state = ANY (ARRAY['reading'::text, 'done'::text, 'unavailable'::text]))),
 PRIMARY KEY (bot_id)
);

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

create table line_links (
 bot_id text collate "C" not null,
 code text collate "C" not null,
 link_set text collate "C" not null,
 seq integer not null,
 url text not null,
 person text collate "C",
 created_at timestamp with time zone not null,
 CHECK ((seq >= 1)),
 PRIMARY KEY (bot_id, code)
);
CREATE INDEX line_links_by_code ON public.line_links USING btree (code);

create table line_message_events (
 bot_id text collate "C" not null,
 request_id text collate "C" not null,
 value jsonb not null,
 received_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, request_id)
);

create table line_reply_tokens (
 bot_id text collate "C" not null,
 token_hash bytea not null,
 platform_contact_id text collate "C" not null,
 kept_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, token_hash)
);

create table line_rich_menu_events (
 bot_id text collate "C" not null,
 rich_menu_id text collate "C" not null,
 kind text collate "C" not null,
 first_day date not null,
 last_day date not null,
 value jsonb not null,
 received_at timestamp with time zone not null,
 CHECK ((kind = ANY (ARRAY['rich-menu-daily'::text, 'rich-menu-summary'::text]))),
 PRIMARY KEY (bot_id, rich_menu_id, kind, first_day)
);

create table line_rich_menus (
 bot_id text collate "C" not null,
 rich_menu_id text collate "C" not null,
 listed_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, rich_menu_id)
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
 reply_token_hash bytea,
 link_set text collate "C",
 CHECK ((kind = ANY (ARRAY['push'::text, 'multicast'::text, 'broadcast'::text, 'narrowcast'::text, 'reply'::text, 'pnp'::text]))),
 CHECK ((recipients >= 0)),
 PRIMARY KEY (bot_id, request_id)
);
CREATE INDEX line_sends_by_time ON public.line_sends USING btree (bot_id, sent_at, request_id);
CREATE INDEX line_sends_of_link_set ON public.line_sends USING btree (bot_id, link_set) WHERE (link_set IS NOT NULL);
CREATE INDEX line_sends_of_reply_token ON public.line_sends USING btree (bot_id, reply_token_hash) WHERE (reply_token_hash IS NOT NULL);
CREATE INDEX line_sends_of_unit ON public.line_sends USING btree (bot_id, unit, sent_at) WHERE (unit IS NOT NULL);
CREATE INDEX line_sends_with_statistics ON public.line_sends USING btree (bot_id, sent_at) WHERE ((kind = ANY (ARRAY['broadcast'::text, 'narrowcast'::text])) OR (unit IS NOT NULL));

create table line_tokens (
 bot_id text collate "C" not null,
 token_id text collate "C" not null,
 kind text collate "C" not null,
 token_hash bytea not null,
 created_at timestamp with time zone not null,
 revoked_at timestamp with time zone,
 scope text collate "C" not null,
 expires_at timestamp with time zone,
 CHECK (((kind = 'made'::text) OR ((scope = 'all'::text) AND (expires_at IS NULL)))),
 CHECK ((kind = ANY (ARRAY['channel'::text, 'made'::text]))),
 CHECK ((scope = ANY (ARRAY['insight'::text, 'send'::text, 'all'::text]))),
 PRIMARY KEY (bot_id, token_id)
);
CREATE INDEX line_tokens_by_hash ON public.line_tokens USING btree (token_hash) WHERE (revoked_at IS NULL);
CREATE INDEX line_tokens_revoked ON public.line_tokens USING btree (token_hash) WHERE (revoked_at IS NOT NULL);
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

create table mail_report_recipients (
 report_id text collate "C" not null,
 recipient_id text collate "C" not null,
 address text not null,
 unsubscribed_at timestamp with time zone,
 FOREIGN KEY (report_id) REFERENCES mail_reports(report_id) ON DELETE CASCADE,
 PRIMARY KEY (report_id, recipient_id),
 UNIQUE (report_id, address)
);

create table mail_report_runs (
 report_id text collate "C" not null,
 first_day date not null,
 last_day date not null,
 created_at timestamp with time zone not null,
 FOREIGN KEY (report_id) REFERENCES mail_reports(report_id) ON DELETE CASCADE,
 PRIMARY KEY (report_id, first_day, last_day)
);

create table mail_reports (
 report_id text collate "C" not null,
 name text not null,
 bot_ids text[] not null,
 frequency text collate "C" not null,
 language text collate "C" not null,
 time_zone text not null,
 minute_of_day integer not null,
 is_paused boolean not null,
 created_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 due_at timestamp with time zone not null,
 last_run text collate "C",
 last_run_at timestamp with time zone,
 last_first_day date,
 last_day date,
 problem text,
 CHECK ((frequency = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text]))),
 CHECK ((language = ANY (ARRAY['zh-Hant'::text, 'ja'::text, 'en'::text]))),
 PRIMARY KEY (report_id)
);
CREATE INDEX mail_reports_due ON public.mail_reports USING btree (due_at) WHERE (NOT is_paused);

create table mails (
 mail_id bigint not null generated as identity,
 nonce text collate "C" not null,
 kind text collate "C" not null,
 key text collate "C",
 content_sealed bytea,
 created_at timestamp with time zone not null,
 due_at timestamp with time zone not null,
 expires_at timestamp with time zone not null,
 attempts integer not null default 0,
 claimed_until timestamp with time zone,
 transfer_begun_at timestamp with time zone,
 may_be_repeated boolean not null default false,
 outcome text collate "C",
 ended_at timestamp with time zone,
 problem text,
 CHECK ((outcome = ANY (ARRAY['sent'::text, 'given-up'::text]))),
 PRIMARY KEY (mail_id),
 UNIQUE (key)
);
CREATE INDEX mails_due ON public.mails USING btree (due_at) WHERE (outcome IS NULL);

create table mantago_answers (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 asked_at timestamp with time zone not null,
 answer jsonb not null,
 CHECK ((kind = ANY (ARRAY['clients'::text, 'messages'::text]))),
 PRIMARY KEY (bot_id, kind, asked_at)
);

create table mantago_comparisons (
 bot_id text collate "C" not null,
 compared_at timestamp with time zone not null,
 tolerance double precision not null,
 beyond integer not null,
 figures jsonb not null,
 CHECK ((tolerance >= (0)::double precision)),
 PRIMARY KEY (bot_id, compared_at)
);

create table mantago_connections (
 bot_id text collate "C" not null,
 address text not null,
 their_bot_id text not null,
 token_sealed bytea not null,
 secret_sealed bytea not null,
 calls_per_minute integer not null,
 updated_at timestamp with time zone not null,
 CHECK (((calls_per_minute >= 1) AND (calls_per_minute <= 6000))),
 PRIMARY KEY (bot_id)
);

create table mantago_days (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 day date not null,
 followers bigint not null,
 PRIMARY KEY (bot_id, platform, day)
);

create table mantago_imports (
 bot_id text collate "C" not null,
 state text collate "C" not null,
 run integer not null,
 phase text collate "C" not null,
 cursor jsonb not null default '{}'::jsonb,
 encoded_member text,
 expected bigint,
 counts jsonb not null default '{}'::jsonb,
 calls bigint not null default 0,
 next_at timestamp with time zone,
 failures integer not null default 0,
 problem text,
 started_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 ended_at timestamp with time zone,
 CHECK ((state = ANY (ARRAY['running'::text, 'stopped'::text, 'done'::text]))),
 PRIMARY KEY (bot_id)
);

create table mantago_problems (
 bot_id text collate "C" not null,
 reason text collate "C" not null,
 platform text collate "C" not null,
 subject text collate "C" not null,
 detail text not null,
 PRIMARY KEY (bot_id, reason, platform, subject)
);
CREATE INDEX mantago_problems_of_client ON public.mantago_problems USING btree (bot_id, platform, subject);

create table mantago_queue (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 platform text collate "C" not null,
 client_id text collate "C" not null,
 contact text collate "C" not null,
 CHECK ((kind = ANY (ARRAY['points'::text, 'encoded'::text]))),
 PRIMARY KEY (bot_id, kind, platform, client_id)
);
CREATE INDEX mantago_queue_of_contact ON public.mantago_queue USING btree (bot_id, platform, contact);

create table mantago_watches (
 bot_id text collate "C" not null,
 tolerance double precision not null,
 sample integer not null,
 next_at timestamp with time zone not null,
 failures integer not null default 0,
 problem text,
 updated_at timestamp with time zone not null,
 CHECK (((sample >= 1) AND (sample <= 100))),
 CHECK ((tolerance >= (0)::double precision)),
 PRIMARY KEY (bot_id)
);

create table message_templates (
 bot_id text collate "C" not null,
 template_id text collate "C" not null,
 name text collate "C" not null,
 content jsonb not null,
 created_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, template_id),
 UNIQUE (bot_id, name)
);

create table migrations (
 name text collate "C" not null,
 checksum text collate "C" not null,
 ran_at timestamp with time zone not null default now(),
 PRIMARY KEY (name)
);

create table notice_attempts (
 bot_id text collate "C" not null,
 notice_id bigint not null,
 attempt_id bigint not null generated as identity,
 attempted_at timestamp with time zone not null,
 ms integer not null,
 status integer,
 problem text,
 excerpt text,
 PRIMARY KEY (bot_id, notice_id, attempt_id)
);

create table notices (
 bot_id text collate "C" not null,
 notice_id bigint not null generated as identity,
 nonce text collate "C" not null default "left"(replace((gen_random_uuid())::text, '-'::text, ''::text), 16),
 type text collate "C" not null,
 contact_id text collate "C" not null,
 data jsonb not null,
 happened_at timestamp with time zone not null,
 created_at timestamp with time zone not null,
 outcome text collate "C",
 ended_at timestamp with time zone,
 CHECK ((outcome = ANY (ARRAY['told'::text, 'given-up'::text]))),
 PRIMARY KEY (bot_id, notice_id)
);
CREATE INDEX notices_given_up ON public.notices USING btree (bot_id, ended_at) WHERE (outcome = 'given-up'::text);
CREATE INDEX notices_of_contact ON public.notices USING btree (bot_id, contact_id);

create table pending_bundles (
 bot_id text collate "C" not null,
 bundle_id bigint not null generated as identity,
 delivery_ids bigint[] not null,
 bytes bigint not null,
 is_text boolean not null default false,
 PRIMARY KEY (bot_id, bundle_id)
);

create table pending_notices (
 bot_id text collate "C" not null,
 notice_id bigint not null,
 since timestamp with time zone not null,
 attempts integer not null default 0,
 due_at timestamp with time zone not null,
 claimed_until timestamp with time zone,
 PRIMARY KEY (bot_id, notice_id)
);
CREATE INDEX pending_notices_due ON public.pending_notices USING btree (bot_id, due_at);

create table platform_days (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 day date not null,
 value jsonb not null,
 received_at timestamp with time zone not null,
 CHECK ((kind = ANY (ARRAY['page-insights'::text, 'instagram-followers'::text, 'whatsapp-analytics'::text, 'whatsapp-templates'::text, 'whatsapp-number'::text]))),
 PRIMARY KEY (bot_id, kind, day)
);

create table point_accounts (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 balance bigint not null default 0,
 next_expiry_at timestamp with time zone,
 lasting bigint not null default 0,
 platform text collate "C",
 CHECK (((balance >= 0) AND (balance <= '9007199254740991'::bigint))),
 CHECK ((lasting >= 0)),
 PRIMARY KEY (bot_id, contact_id)
);

create table point_day_positions (
 bot_id text collate "C" not null,
 zone text collate "C" not null,
 kept_until timestamp with time zone not null,
 PRIMARY KEY (bot_id)
);

create table point_days (
 bot_id text collate "C" not null,
 day date not null,
 earned bigint not null,
 spent bigint not null,
 corrected bigint not null,
 expired bigint not null,
 PRIMARY KEY (bot_id, day)
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
CREATE INDEX point_entries_by_time ON public.point_entries USING brin (created_at) WITH (pages_per_range='32', autosummarize='on');
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

create table profile_channels (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 next_at timestamp with time zone,
 failures integer not null default 0,
 problem text,
 updated_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, platform)
);

create table profile_positions (
 bot_id text collate "C" not null,
 delivery_id bigint not null,
 PRIMARY KEY (bot_id)
);

create table refused_deliveries (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 hour timestamp with time zone not null,
 count bigint not null,
 last_at timestamp with time zone not null,
 reason text collate "C" not null default 'wrong-signature'::text,
 PRIMARY KEY (bot_id, platform, hour, reason)
);

create table secret_key (
 id boolean not null default true,
 fingerprint text collate "C" not null,
 previous_fingerprint text collate "C",
 set_at timestamp with time zone not null,
 CHECK (id),
 PRIMARY KEY (id)
);

create table send_lanes (
 bot_id text collate "C" not null,
 platform text collate "C" not null,
 lease_id text collate "C" not null,
 leased_until timestamp with time zone not null,
 PRIMARY KEY (bot_id, platform)
);

create table send_recipients (
 bot_id text collate "C" not null,
 send_id bigint not null,
 position bigint not null,
 contact_id text collate "C" not null,
 state text collate "C" not null default 'planned'::text,
 message_id text collate "C",
 code text collate "C",
 settled_at timestamp with time zone,
 delivered_at timestamp with time zone,
 read_at timestamp with time zone,
 CHECK ((state = ANY (ARRAY['planned'::text, 'waiting'::text, 'accepted'::text, 'refused'::text, 'unknown'::text, 'blocked'::text]))),
 PRIMARY KEY (bot_id, send_id, "position")
);
CREATE UNIQUE INDEX send_recipients_of_contact ON public.send_recipients USING btree (bot_id, contact_id, send_id);

create table sends (
 bot_id text collate "C" not null,
 send_id bigint not null generated as identity,
 name text not null,
 platform text collate "C" not null,
 key text collate "C",
 content_hash text collate "C" not null,
 message jsonb not null,
 audience jsonb,
 state text collate "C" not null default 'running'::text,
 planned boolean not null default false,
 planned_created_at timestamp with time zone,
 planned_contact_id text collate "C",
 starts_at timestamp with time zone not null,
 quiet_from smallint,
 quiet_until smallint,
 zone text not null,
 recipients bigint not null default 0,
 claimed bigint not null default 0,
 settled bigint not null default 0,
 in_flight_since timestamp with time zone,
 plan_blocked bigint not null default 0,
 unknown_contacts bigint not null default 0,
 accepted bigint not null default 0,
 refused bigint not null default 0,
 unknown bigint not null default 0,
 blocked bigint not null default 0,
 delivered bigint not null default 0,
 read bigint not null default 0,
 receipts_upto bigint not null default 0,
 due_at timestamp with time zone not null,
 failure text,
 attempts integer not null default 0,
 created_by text,
 created_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 ended_at timestamp with time zone,
 waiting_after bigint,
 receipts_due_at timestamp with time zone,
 CHECK ((settled <= claimed)),
 CHECK (((quiet_from IS NULL) = (quiet_until IS NULL))),
 CHECK ((platform = ANY (ARRAY['line'::text, 'facebook'::text, 'instagram'::text, 'whatsapp'::text, 'liveChat'::text]))),
 CHECK (((quiet_from >= 0) AND (quiet_from <= 1439))),
 CHECK (((quiet_until >= 0) AND (quiet_until <= 1439))),
 CHECK ((state = ANY (ARRAY['running'::text, 'paused'::text, 'stopped'::text, 'done'::text]))),
 PRIMARY KEY (bot_id, send_id)
);
CREATE INDEX sends_due ON public.sends USING btree (bot_id, platform, due_at) WHERE (state = 'running'::text);
CREATE INDEX sends_ended ON public.sends USING btree (bot_id, ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX sends_open ON public.sends USING btree (bot_id, platform, due_at) WHERE ((state = 'stopped'::text) AND (settled < claimed));
CREATE INDEX sends_paused ON public.sends USING btree (bot_id, updated_at) WHERE (state = 'paused'::text);
CREATE INDEX sends_receipts_due ON public.sends USING btree (receipts_due_at, bot_id, send_id) WHERE (receipts_due_at IS NOT NULL);
CREATE UNIQUE INDEX sends_key ON public.sends USING btree (bot_id, key) WHERE (key IS NOT NULL);

create table sessions (
 session_hash bytea not null,
 user_id text collate "C",
 token_id text collate "C",
 created_at timestamp with time zone not null,
 seen_at timestamp with time zone not null,
 ends_at timestamp with time zone not null,
 address text,
 browser text,
 CHECK ((num_nonnulls(user_id, token_id) = 1)),
 FOREIGN KEY (token_id) REFERENCES admin_tokens(token_id) ON DELETE CASCADE,
 FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
 PRIMARY KEY (session_hash)
);
CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id);

create table setup_links (
 token_hash bytea not null,
 is_first boolean not null,
 created_at timestamp with time zone not null,
 expires_at timestamp with time zone not null,
 PRIMARY KEY (token_hash)
);

create table sign_in_attempts (
 subject bytea not null,
 failures integer not null,
 failed_at timestamp with time zone not null,
 locked_until timestamp with time zone,
 CHECK ((failures >= 0)),
 PRIMARY KEY (subject)
);

create table snapshots (
 bot_id text collate "C" not null,
 kind text collate "C" not null,
 day date not null,
 status text not null,
 value jsonb not null,
 received_at timestamp with time zone not null,
 CHECK ((kind = ANY (ARRAY['followers'::text, 'delivery'::text, 'demographic'::text, 'quota'::text, 'sent-reply'::text, 'sent-push'::text, 'sent-multicast'::text, 'sent-broadcast'::text]))),
 CHECK ((status = ANY (ARRAY['ready'::text, 'unready'::text, 'out_of_service'::text]))),
 PRIMARY KEY (bot_id, kind, day)
);

create table tag_cover_ends (
 bot_id text collate "C" not null,
 contact_id text collate "C" not null,
 platform text collate "C" not null,
 ends_at timestamp with time zone not null,
 PRIMARY KEY (bot_id, contact_id)
);
CREATE INDEX tag_cover_ends_in_time ON public.tag_cover_ends USING btree (bot_id, platform, ends_at);

create table tags (
 bot_id text collate "C" not null,
 tag_id text collate "C" not null,
 kind text collate "C" not null,
 name text collate "C" not null,
 created_at timestamp with time zone not null,
 updated_at timestamp with time zone not null,
 confidence double precision not null default 1,
 life_cycle_days integer not null default 30,
 life_cycle_active boolean not null default false,
 former_id text collate "C",
 CHECK (((kind = 'automatic'::text) OR (NOT life_cycle_active))),
 CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
 CHECK ((kind = ANY (ARRAY['manual'::text, 'personal'::text, 'automatic'::text]))),
 CHECK (((life_cycle_days >= 1) AND (life_cycle_days <= 36500))),
 PRIMARY KEY (bot_id, tag_id),
 UNIQUE (bot_id, kind, name)
);
CREATE UNIQUE INDEX tags_former_id ON public.tags USING btree (bot_id, kind, former_id) WHERE (former_id IS NOT NULL);

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
 last_delivery_at timestamp with time zone,
 earlier_friends bigint not null default 0,
 earlier_blockers bigint not null default 0,
 PRIMARY KEY (bot_id, platform)
);

create table users (
 user_id text collate "C" not null,
 name text not null,
 name_key text collate "C" not null,
 scope text collate "C" not null,
 password_hash text collate "C" not null,
 created_at timestamp with time zone not null,
 last_sign_in_at timestamp with time zone,
 bot_ids text[] collate "C",
 disabled_at timestamp with time zone,
 CHECK ((cardinality(bot_ids) > 0)),
 CHECK ((scope = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text]))),
 PRIMARY KEY (user_id),
 UNIQUE (name_key)
);
