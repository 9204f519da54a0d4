-- Idempotency keys that survive a crash, and webhooks that can be repeated.

-- Who holds a key (`owner`, until `lease_until`) alone may make its effect and store its answer. `effect` names what the
-- request has made, in the transaction that makes it: from then on a repeat rebuilds the answer and makes nothing.
ALTER TABLE idempotency ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE idempotency ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE idempotency ADD COLUMN effect TEXT;
-- Answers with a secret are no longer stored.
DELETE FROM idempotency WHERE body LIKE '%"whsec_%';

-- Which refund a key has made: for ever, also when the key itself is forgotten. `name` is the SHA-256 of API key and key.
CREATE TABLE refund_key (
    name TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    refund_id TEXT NOT NULL
);

-- Secrets of endpoints that were replaced; they sign beside the new one until `signs_until`.
CREATE TABLE webhook_old_secret (
    endpoint_id TEXT NOT NULL,
    secret TEXT NOT NULL,
    signs_until BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, secret)
);
CREATE INDEX webhook_old_secret_until ON webhook_old_secret (signs_until);

-- An endpoint that said that it is gone is called no more, until somebody says otherwise.
ALTER TABLE webhook_endpoint ADD COLUMN disabled_at BIGINT;
ALTER TABLE webhook_endpoint ADD COLUMN disabled_reason TEXT;

-- Which delivery a try belongs to: an event that is repeated is a second delivery.
ALTER TABLE delivery_attempt ADD COLUMN due_id TEXT NOT NULL DEFAULT '';
UPDATE delivery_attempt SET due_id = 'due_webhook:' || event_id || ':' || endpoint_id;
CREATE INDEX delivery_attempt_due ON delivery_attempt (due_id, at);
CREATE INDEX due_webhook ON due (pool, created_at, id) WHERE kind = 'webhook';
CREATE INDEX due_dead ON due (pool, created_at, id) WHERE state = 'dead';

CREATE INDEX console_link_expires ON console_link (expires_at);
CREATE INDEX console_session_expires ON console_session (expires_at);
