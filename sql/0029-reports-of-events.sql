-- Which of its person's ids an event goes by, where that is not the contact's own: the contact id of that id's row. Of two reports
-- of one event that name different people the smaller id on the platform counts, in any order, also after contacts were joined.
alter table events add column named_as text collate "C";
