-- A read of points by contact id finds the platform with the balance, without a look-up of the contact.
-- Null: the contact of this id is merged, deleted or unknown, and a read looks at contacts.
alter table point_accounts add column platform text collate "C";

update point_accounts account set platform = contact.platform
from contacts contact
where contact.bot_id = account.bot_id and contact.contact_id = account.contact_id
  and contact.merged_into is null and contact.forgotten_at is null;
