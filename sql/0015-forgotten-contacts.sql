-- People who were forgotten: what they did goes on counting, for a contact of whom nothing is known.

-- Set for that contact, and for the emptied rows under whose ids the person was known.
alter table contacts add column forgotten_at timestamptz;
-- Most bots have none, and then no event has to be looked for under a second key.
create index contacts_forgotten on contacts (bot_id) where forgotten_at is not null;
