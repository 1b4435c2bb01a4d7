-- The questions about templates name a page of templates instead of a span of days.
delete from collection_questions where kind = 'whatsapp-templates';
update collections set look_at = null where kind = 'whatsapp-templates';
