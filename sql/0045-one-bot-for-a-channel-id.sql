-- A LINE channel id belongs to one bot, which proves it when it is set. Earlier ids were not proved, so none of several bots keeps it.
update channels set channel_id = null
where channel_id in (select channel_id from channels where channel_id is not null group by channel_id having count(*) > 1);
