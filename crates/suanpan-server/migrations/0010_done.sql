-- Work that is done is deleted after `retention.deliveries_days`, and found for that without a look at the rest.
CREATE INDEX due_done ON due (created_at, id) WHERE state = 'done';
