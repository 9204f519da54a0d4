-- People: who they are, what they may do, and what they did.

-- `password` is an Argon2id hash, NULL until the one-time link was used that sets it; `totp` a secret in base32, and
-- `totp_new` one that was shown and not confirmed yet. `totp_step` is the last time step that let somebody in: a code
-- works once.
CREATE TABLE operator (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'cashier', 'finance', 'admin')),
    password TEXT,
    totp TEXT,
    totp_new TEXT,
    totp_step BIGINT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    version BIGINT NOT NULL DEFAULT 0
);

-- What a link does: 'enter' opens a session of its operator, 'password' lets him choose one, 'first' makes the first
-- operator.
ALTER TABLE console_link ADD COLUMN kind TEXT NOT NULL DEFAULT 'enter';
ALTER TABLE console_link ADD COLUMN operator_id TEXT;
CREATE INDEX console_link_operator ON console_link (operator_id);

-- Whose session it is, when he last did something, and from where he signed in.
ALTER TABLE console_session ADD COLUMN operator_id TEXT;
ALTER TABLE console_session ADD COLUMN seen_at BIGINT;
ALTER TABLE console_session ADD COLUMN address TEXT;
CREATE INDEX console_session_operator ON console_session (operator_id);

-- What people did. Append only: `hash` is of this row and the hash before it, so that a row that was changed or taken
-- out later shows. `operator_id` is NULL where the command line did it. `detail` is JSON.
CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    operator_id TEXT,
    operator_name TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    reason TEXT,
    detail TEXT,
    hash TEXT NOT NULL
);
CREATE INDEX audit_operator ON audit (operator_name, seq);
CREATE INDEX audit_object ON audit (object, seq);

-- Refunds that people asked for. One that needs a second person waits for him; the others are 'approved' at once.
CREATE TABLE refund_request (
    id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_name TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'declined')),
    decided_by TEXT,
    decided_name TEXT,
    decided_at BIGINT,
    note TEXT,
    refund_id TEXT
);
CREATE INDEX refund_request_waiting ON refund_request (asked_at, id) WHERE state = 'waiting';
CREATE INDEX refund_request_order ON refund_request (order_id, asked_at);
CREATE INDEX refund_request_refund ON refund_request (refund_id);

-- How a key begins, so that people know which one it is.
ALTER TABLE api_key ADD COLUMN prefix TEXT;
