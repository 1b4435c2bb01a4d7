-- Forgetting a contact also looks for its ids in the keys of events without a contact. LINE's keys hold no ids of people.
create index events_without_contact on events (bot_id, platform) where contact_id is null and platform <> 'line';
