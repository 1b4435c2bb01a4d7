-- The whole ledger: transfers, adjustments, reversals and bulks beside what was there, and lots by their expiry.

alter table point_entries
  drop constraint point_entries_kind_check,
  drop constraint point_entries_check,
  -- False for an entry that shares the key of another one: the second side of a transfer, all but the first of a bulk.
  add column leads boolean not null default true,
  -- What was taken, or came by a transfer, by when it runs out: [{"amount": 20, "expiresAt": ms or null}]; null: never, all of it.
  add column parts jsonb,
  -- The other side of a transfer or of its reversal: contact and entry.
  add column counterpart_id text collate "C",
  add column pair_id bigint,
  -- The contact's entry that this one reverses.
  add column reverses bigint,
  -- Why points were adjusted.
  add column reason text collate "C",
  -- Of the entry that leads a bulk: {"hash", "entries", "points"}.
  add column bulk jsonb,
  add constraint point_entries_kind_check
    check (kind in ('earn', 'spend', 'transfer', 'adjust', 'reverse', 'clear', 'expire')),
  add constraint point_entries_amount_check check (
    case when kind = 'earn' then amount > 0 when kind in ('spend', 'expire') then amount < 0
      when kind = 'clear' then amount <= 0 when kind = 'reverse' then true else amount <> 0 end),
  add constraint point_entries_pair_check check (
    (pair_id is null) = (counterpart_id is null)
    and case kind when 'transfer' then pair_id is not null when 'reverse' then true else pair_id is null end),
  add constraint point_entries_reverses_check check ((kind = 'reverse') = (reverses is not null)),
  add constraint point_entries_reason_check check ((kind = 'adjust') = (reason is not null)),
  add constraint point_entries_bulk_check check (bulk is null or (leads and kind = 'earn'));

drop index point_entries_key;
create unique index point_entries_key on point_entries (bot_id, key) where leads and key is not null;
-- An entry is reversed once.
create unique index point_entries_reverses on point_entries (bot_id, reverses) where reverses is not null;

-- Points that run out together are alike, so they are one lot, however they came: transfers to and fro do not break an account
-- into ever more lots. Those that never run out stand in the account's own row. Room is left in the pages of both tables,
-- and what changes stands in no index, so that a change writes the row alone.
alter table point_accounts
  add column lasting bigint not null default 0 check (lasting >= 0),
  set (fillfactor = 80);
update point_accounts account set lasting = lot.remaining
from (
  select bot_id, contact_id, sum(remaining) as remaining from point_lots
  where expires_at is null and remaining > 0
  group by bot_id, contact_id
) lot
where lot.bot_id = account.bot_id and lot.contact_id = account.contact_id;

-- balance = sum of the account's entries = lasting + sum of what is left in its lots. The key is the order of spending; an
-- empty lot has no row.
create table point_lots_by_expiry (
  bot_id text collate "C" not null,
  contact_id text collate "C" not null,
  expires_at timestamptz not null,
  remaining bigint not null check (remaining > 0),
  constraint point_lots_by_expiry_pkey primary key (bot_id, contact_id, expires_at)
) with (fillfactor = 80);
alter table point_lots_by_expiry alter column bot_id set statistics 0;
insert into point_lots_by_expiry (bot_id, contact_id, expires_at, remaining)
select bot_id, contact_id, expires_at, sum(remaining) from point_lots
where expires_at is not null and remaining > 0
group by bot_id, contact_id, expires_at;

drop table point_lots;
alter table point_lots_by_expiry rename to point_lots;
alter table point_lots rename constraint point_lots_by_expiry_pkey to point_lots_pkey;
alter table point_lots rename constraint point_lots_by_expiry_remaining_check to point_lots_remaining_check;
-- What of a bot runs out when.
create index point_lots_expiring on point_lots (bot_id, expires_at);

-- Every write asks whether its contacts were joined to others, and hardly any was: a small index says no without a look at them.
create index contacts_joined on contacts (bot_id, contact_id) include (merged_into) where merged_into is not null;
