-- One spelling for what was stored in several: WhatsApp numbers as digits, names and tags composed (NFC). Where the bot has the
-- other spelling already, the row stays as it is.

update contacts set platform_contact_id = numbers.digits
from (
  select distinct on (bot_id, digits) bot_id, contact_id, digits
  from (
    select bot_id, contact_id, regexp_replace(platform_contact_id, '[^0-9]', '', 'g') as digits
    from contacts
    where platform = 'whatsapp' and platform_contact_id ~ '^[+ ()0-9-]*$' and platform_contact_id ~ '[^0-9]'
  ) formatted
  where digits <> '' and not exists (
    select from contacts known
    where known.bot_id = formatted.bot_id and known.platform = 'whatsapp' and known.platform_contact_id = formatted.digits)
  order by bot_id, digits, contact_id
) numbers
where contacts.bot_id = numbers.bot_id and contacts.contact_id = numbers.contact_id;

update contact_profiles set customer_id = normalize(customer_id), name = normalize(name), remark = normalize(remark),
  user_name = normalize(user_name), user_address = normalize(user_address)
where customer_id is not normalized or name is not normalized or remark is not normalized
  or user_name is not normalized or user_address is not normalized;

update tags set name = composed.name
from (
  select distinct on (bot_id, kind, normalize(name)) bot_id, tag_id, normalize(name) as name
  from tags
  where name is not normalized and not exists (
    select from tags known
    where known.bot_id = tags.bot_id and known.kind = tags.kind and known.name = normalize(tags.name))
  order by bot_id, kind, normalize(name), tag_id
) composed
where tags.bot_id = composed.bot_id and tags.tag_id = composed.tag_id;
