-- A range with today is compared up to the same hour: first follows and LINE's block changes of a part of a day are found by time.
create index contacts_followed on contacts (bot_id, followed_at) where followed_at is not null;
create index events_of_blocks on events (bot_id, happened_at) where kind in ('follow', 'unfollow');
