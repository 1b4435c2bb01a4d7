-- Reports by e-mail: figures of chosen bots, once per period. The tables describe the installation, because a report may cover
-- several bots.
create table mail_reports (
  report_id text collate "C" primary key,
  name text not null,
  bot_ids text[] not null,
  frequency text collate "C" not null check (frequency in ('daily', 'weekly', 'monthly')),
  language text collate "C" not null check (language in ('zh-Hant', 'ja', 'en')),
  -- The zone and the minute of the day at which it is sent.
  time_zone text not null,
  minute_of_day integer not null,
  is_paused boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  due_at timestamptz not null,
  -- Names the mails of the latest run; null: none yet.
  last_run text collate "C",
  last_run_at timestamptz,
  last_first_day date,
  last_day date,
  -- Why the report could not be made; null: it could.
  problem text
);
create index mail_reports_due on mail_reports (due_at) where not is_paused;

create table mail_report_recipients (
  report_id text collate "C" not null references mail_reports on delete cascade,
  recipient_id text collate "C" not null,
  address text not null,
  unsubscribed_at timestamptz,
  primary key (report_id, recipient_id),
  unique (report_id, address)
);

-- One row for each period that was planned, so that no period is sent twice.
create table mail_report_runs (
  report_id text collate "C" not null references mail_reports on delete cascade,
  first_day date not null,
  last_day date not null,
  created_at timestamptz not null,
  primary key (report_id, first_day, last_day)
);
