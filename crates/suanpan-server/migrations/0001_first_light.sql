-- First light: orders, attempts, the inbox, the journal, events and the work that time starts.
--
-- One text for every engine: TEXT and BIGINT, and {blob} where bytes are kept as they came. Ids are made by the
-- server, so there is no sequence; every time is unix microseconds; JSON is kept as TEXT and never queried into;
-- amounts are fen. A migration that has run is never edited: its checksum is in the table `migration`.

-- Who may call /v1. Only the SHA-256 of a key is kept.
CREATE TABLE api_key (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- What a customer owes. `version` counts the changes: a move says which version it saw.
CREATE TABLE orders (
    id TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    mchid TEXT NOT NULL,
    app TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    amount_refunded BIGINT NOT NULL DEFAULT 0 CHECK (amount_refunded >= 0),
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('unpaid', 'paying', 'paid', 'closed')),
    payer_openid TEXT,
    trade_type TEXT NOT NULL,
    metadata TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    paid_at BIGINT,
    transaction_id TEXT,
    version BIGINT NOT NULL DEFAULT 0,
    UNIQUE (mchid, reference)
);
CREATE INDEX orders_created ON orders (created_at, id);
CREATE INDEX orders_status ON orders (status, created_at, id);
CREATE INDEX orders_reference ON orders (reference);

-- One try to pay an order at WeChat. `request` is the order request as it was signed, so that the same number is
-- never placed with other parameters.
CREATE TABLE attempt (
    id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    mchid TEXT NOT NULL,
    appid TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    openid TEXT,
    fingerprint TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('created', 'prepaid', 'paid', 'closed', 'failed')),
    prepay_id TEXT,
    prepay_at BIGINT,
    transaction_id TEXT,
    paid_at BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 0,
    UNIQUE (mchid, out_trade_no)
);
CREATE INDEX attempt_order ON attempt (order_id, created_at);
-- At most one attempt of an order is live: two sheets on two phones cannot both take the money.
CREATE UNIQUE INDEX attempt_live ON attempt (order_id) WHERE state IN ('created', 'prepaid');

-- Every notification that arrived, as it arrived, before it is acted on; a repeat is a row of its own. `dedupe_key`
-- names what it tells (APIv3: the notification's id, APIv2: transaction and result) once that is read, so it is not
-- unique; but only one arrival per key can have moved anything.
CREATE TABLE inbox (
    id TEXT NOT NULL PRIMARY KEY,
    mchid TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    dedupe_key TEXT,
    headers TEXT NOT NULL,
    body {blob} NOT NULL,
    verdict TEXT NOT NULL,
    problem TEXT,
    order_id TEXT
);
CREATE INDEX inbox_received ON inbox (received_at, id);
CREATE INDEX inbox_order ON inbox (order_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX inbox_moved ON inbox (mchid, dedupe_key) WHERE verdict = 'moved';

-- Every change of every order, with its cause. Append only.
CREATE TABLE journal (
    order_id TEXT NOT NULL REFERENCES orders (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    change TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (order_id, seq)
);

-- What the merchant's own system is told. One id and one body for ever.
CREATE TABLE event (
    id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX event_created ON event (created_at, id);
CREATE INDEX event_order ON event (order_id, created_at);

-- Where events go. `events` is a JSON list of types, NULL for all of them; `source` says who made the endpoint.
CREATE TABLE webhook_endpoint (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    source TEXT NOT NULL
);

-- Work that time starts. Claimed under a lease; `key` makes it exist once, whoever asked for it. Rows of one `lane`
-- are handed out one at a time, oldest first. Rows of one `pool` share a number of hands, so that what is slow there
-- holds up nothing elsewhere.
CREATE TABLE due (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    pool TEXT NOT NULL,
    lane TEXT,
    body TEXT NOT NULL,
    order_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('ready', 'done', 'dead')),
    due_at BIGINT NOT NULL,
    lease_by TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempt BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX due_ready ON due (pool, due_at, id) WHERE state = 'ready';
CREATE INDEX due_lane ON due (lane, created_at, id) WHERE state = 'ready' AND lane IS NOT NULL;
CREATE INDEX due_order ON due (order_id) WHERE order_id IS NOT NULL;

-- One try to deliver one event to one endpoint. `status` is the HTTP status of the answer, if one came.
CREATE TABLE delivery_attempt (
    id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    status BIGINT,
    latency_micros BIGINT NOT NULL,
    problem TEXT
);
CREATE INDEX delivery_attempt_event ON delivery_attempt (event_id, at);

-- Answers given under an Idempotency-Key; `status` and `body` are NULL while the first call is still running.
CREATE TABLE idempotency (
    api_key_id TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status BIGINT,
    body TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (api_key_id, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

-- One-time sign-in links of the console and the sessions they open, as hashes.
CREATE TABLE console_link (
    hash TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE TABLE console_session (
    hash TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
