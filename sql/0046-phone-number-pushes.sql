-- Pushes to telephone numbers are a kind of send, and the list of friends remembers the age of its page token.

alter table line_sends drop constraint line_sends_kind_check;
alter table line_sends add constraint line_sends_kind_check
  check (kind in ('push', 'multicast', 'broadcast', 'narrowcast', 'reply', 'pnp'));

-- When LINE issued the token of the next page; null: unknown, or the first page.
alter table line_friend_lists add column next_page_at timestamptz;
