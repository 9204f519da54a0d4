-- What is looked for among what grows for ever is found without a look at the rest of it.

-- The shipments that WeChat still waits for, and those of one state; before, the list went through all that were settled.
CREATE INDEX shipment_open ON shipment (deadline, order_id)
    WHERE state IN ('waiting', 'uploading', 'uploaded', 'refused');
CREATE INDEX shipment_state ON shipment (state, deadline, order_id);
DROP INDEX shipment_deadline;

-- The deliveries to an endpoint that are not done; before, a replay of what failed went through those that are.
CREATE INDEX due_undelivered ON due (pool, created_at, id) WHERE kind = 'webhook' AND state <> 'done';
DROP INDEX due_dead;
