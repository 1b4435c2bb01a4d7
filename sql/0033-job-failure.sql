-- Why the last step of a running job failed, and when any process may try again. Null and 0: it succeeded.
alter table jobs
  add column failure text,
  add column attempts integer not null default 0,
  add column failed_at timestamptz,
  add column retry_at timestamptz;
