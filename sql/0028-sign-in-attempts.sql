-- Attempts count by name within a network now. Counts by name alone are read no more.
delete from sign_in_attempts;
