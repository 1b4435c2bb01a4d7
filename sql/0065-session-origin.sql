-- Where a session began, for its user. Null: it began before these columns.
alter table sessions add column address text, add column browser text;
