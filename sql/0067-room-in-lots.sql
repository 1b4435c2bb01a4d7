-- A bulk adds points to most lots of a page at once. Without room for all their new versions, half of the lots moved to another page
-- and were entered in both indexes again.
alter table point_lots set (fillfactor = 50);
