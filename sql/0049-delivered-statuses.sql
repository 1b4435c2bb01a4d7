-- The messages that WhatsApp delivered, by day, for the reconciliation.
create index events_delivered on events (bot_id, happened_at)
  where platform = 'whatsapp' and kind = 'status' and detail = 'delivered';
