-- What was refused anybody can have posted; it is deleted after a week, and found for that without a look at the rest.
CREATE INDEX inbox_refused ON inbox (received_at, id) WHERE verdict = 'refused';
