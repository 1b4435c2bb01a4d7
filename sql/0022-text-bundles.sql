-- Whether all bodies of a bundle are UTF-8 without NUL, so that they can be read as text. PostgreSQL 15 has no way to ask that of
-- bytes without an error.
alter table pending_bundles add is_text boolean not null default false;
