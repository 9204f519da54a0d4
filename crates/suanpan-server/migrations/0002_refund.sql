-- Refunds: money that goes back, each under a number of its own.
--
-- `request` is the call as it was signed first: the same number is never asked for with other parameters. The sum of
-- `amount` over all rows of one attempt that are not closed never exceeds what was paid; that is checked in the
-- transaction that puts a row in.
CREATE TABLE refund (
    id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    attempt_id TEXT NOT NULL REFERENCES attempt (id),
    mchid TEXT NOT NULL,
    appid TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    out_refund_no TEXT NOT NULL,
    reference TEXT,
    amount BIGINT NOT NULL CHECK (amount > 0),
    total BIGINT NOT NULL CHECK (total >= amount),
    currency TEXT NOT NULL,
    reason TEXT,
    request TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('processing', 'succeeded', 'closed', 'abnormal')),
    refund_id TEXT,
    received_account TEXT,
    problem TEXT,
    created_at BIGINT NOT NULL,
    accepted_at BIGINT,
    succeeded_at BIGINT,
    version BIGINT NOT NULL DEFAULT 0,
    UNIQUE (mchid, out_refund_no),
    UNIQUE (mchid, reference)
);
CREATE INDEX refund_order ON refund (order_id, created_at, id);
CREATE INDEX refund_attempt ON refund (attempt_id);
