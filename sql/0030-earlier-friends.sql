-- LINE counts a friend once, when the account is added for the first time. A contact whose first follow event is an unfollow or lifts
-- a block was a friend before: it adds a follower to our own count, and none to LINE's number of an earlier day.

-- What the contact was before followed_at: a friend, or a friend who had blocked the account. Null: no friend, or not known.
alter table contacts add column earlier_friend text collate "C" check (earlier_friend in ('friend', 'blocker'));

-- Of `followers` those who were friends before; of these those who had blocked the account.
alter table totals add column earlier_friends bigint not null default 0;
alter table totals add column earlier_blockers bigint not null default 0;
alter table days add column earlier_friends bigint not null default 0;
alter table days add column earlier_blockers bigint not null default 0;

-- Events from before do not say whether a follow lifted a block. A bot in a zone that PostgreSQL does not know needs a recount.
update contacts set earlier_friend = 'friend'
from (
  select distinct on (bot_id, contact_id) bot_id, contact_id, kind from events
  where platform = 'line' and kind in ('follow', 'unfollow') and contact_id is not null
  order by bot_id, contact_id, happened_at, kind
) first_follow
where first_follow.kind = 'unfollow' and contacts.bot_id = first_follow.bot_id
  and contacts.contact_id = first_follow.contact_id;

update totals set earlier_friends = counted.contacts
from (
  select bot_id, count(*) as contacts from contacts where earlier_friend is not null group by bot_id
) counted
where totals.bot_id = counted.bot_id and totals.platform = 'line';

update days set earlier_friends = counted.contacts
from (
  select contacts.bot_id, zones.zone, (followed_at at time zone zones.zone)::date as day, count(*) as contacts
  from contacts
  join (
    select bot_id, time_zone as zone from bots union select bot_id, 'Asia/Tokyo' from bots
  ) zones on zones.bot_id = contacts.bot_id
  where earlier_friend is not null and zones.zone in (select name from pg_timezone_names)
  group by contacts.bot_id, zones.zone, (followed_at at time zone zones.zone)::date
) counted
where days.bot_id = counted.bot_id and days.platform = 'line' and days.zone = counted.zone and days.day = counted.day;
