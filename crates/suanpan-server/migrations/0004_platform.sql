-- The mini program platform: the token that its calls carry, and what WeChat was told of shipments.

-- One token per app, shared by all nodes. `sealed` is the token under a key that is derived from the AppSecret; `epoch`
-- counts the tokens, and rises only in the transaction that finds the lease still held by whoever asked. Forced refreshes
-- are counted in days that begin with the first of them.
CREATE TABLE access_token (
    appid TEXT NOT NULL PRIMARY KEY,
    sealed {blob},
    expires_at BIGINT NOT NULL DEFAULT 0,
    epoch BIGINT NOT NULL DEFAULT 0,
    lease_by TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    forced_at BIGINT NOT NULL DEFAULT 0,
    forced_since BIGINT NOT NULL DEFAULT 0,
    forced_times BIGINT NOT NULL DEFAULT 0
);

-- What is shipped for a paid order, and what WeChat knows of it. `goods` is the last upload as it was asked for;
-- `parcels` is all that WeChat has taken. `serial` counts the uploads that were asked for, `tries` the calls of this one:
-- above 0 the answer of the last call may be lost, and WeChat is asked before it is told again. `upload_time` is that
-- of the last call, unix milliseconds.
CREATE TABLE shipment (
    order_id TEXT NOT NULL PRIMARY KEY REFERENCES orders (id),
    attempt_id TEXT NOT NULL REFERENCES attempt (id),
    policy TEXT NOT NULL CHECK (policy IN ('virtual', 'self_pickup', 'express')),
    automatic BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'uploading', 'uploaded', 'shipped', 'confirmed', 'settled',
        'refunded', 'not_managed', 'refused')),
    goods TEXT,
    parcels TEXT NOT NULL,
    serial BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    upload_time BIGINT NOT NULL DEFAULT 0,
    order_state BIGINT,
    problem TEXT,
    paid_at BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    shipped_at BIGINT,
    reminded_at BIGINT,
    asked_at BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX shipment_deadline ON shipment (deadline, order_id);
