-- Saved messages. A send copies the text; a later change of the template does not change the send.
create table message_templates (
  bot_id text collate "C" not null,
  template_id text collate "C" not null,
  name text collate "C" not null,
  -- Text, quick replies and WhatsApp template, and what differs on a platform.
  content jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (bot_id, template_id),
  unique (bot_id, name)
);
-- Why: see 0002-inbox.sql.
alter table message_templates alter column bot_id set statistics 0;
