-- Reconciliation: WeChat's bills as they came, how each day stands, and each difference.

-- A bill of one day, in parts of 64 KiB, so that every node, `migrate` and a backup have it. 'coming' until all of its
-- parts are here; of a day and kind only the newest stays. `sha256` and `length` are those of the bytes as they came.
CREATE TABLE bill (
    id TEXT NOT NULL PRIMARY KEY,
    mchid TEXT NOT NULL,
    day TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('trade', 'fund_flow')),
    state TEXT NOT NULL CHECK (state IN ('coming', 'kept')),
    sha256 TEXT NOT NULL,
    length BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL
);
CREATE INDEX bill_day ON bill (mchid, day, kind);
CREATE INDEX bill_fetched ON bill (fetched_at, id);
CREATE TABLE bill_part (
    bill_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    bytes {blob} NOT NULL,
    PRIMARY KEY (bill_id, seq)
);

-- How the day of an account stands. Amounts in fen, fees in hundred-thousandths of a yuan. `carried` is JSON: what is left
-- to the days beside it. `more` counts the differences beyond those that are kept, and `run` how often the day was compared.
CREATE TABLE reconciliation (
    mchid TEXT NOT NULL,
    day TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'failed', 'done')),
    problem TEXT,
    trade_bill TEXT,
    fund_bill TEXT,
    our_payments BIGINT NOT NULL DEFAULT 0,
    our_paid BIGINT NOT NULL DEFAULT 0,
    our_refunds BIGINT NOT NULL DEFAULT 0,
    our_refunded BIGINT NOT NULL DEFAULT 0,
    their_payments BIGINT NOT NULL DEFAULT 0,
    their_paid BIGINT NOT NULL DEFAULT 0,
    their_refunds BIGINT NOT NULL DEFAULT 0,
    their_refunded BIGINT NOT NULL DEFAULT 0,
    their_fee BIGINT NOT NULL DEFAULT 0,
    came_in BIGINT NOT NULL DEFAULT 0,
    went_out BIGINT NOT NULL DEFAULT 0,
    more BIGINT NOT NULL DEFAULT 0,
    carried TEXT NOT NULL,
    run BIGINT NOT NULL DEFAULT 0,
    checked_at BIGINT,
    PRIMARY KEY (mchid, day)
);
CREATE INDEX reconciliation_day ON reconciliation (day, mchid);

-- What differs, and what people made of it. The same account, day, kind and subject is the same difference, however often
-- the day is compared; `run` is the last time that it was there. `gone_at`: it is no longer there. `detail` is JSON.
CREATE TABLE difference (
    id TEXT NOT NULL PRIMARY KEY,
    mchid TEXT NOT NULL,
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    order_id TEXT,
    refund_id TEXT,
    ours BIGINT,
    theirs BIGINT,
    detail TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'explained', 'repaired')),
    note TEXT,
    moved_by TEXT,
    moved_at BIGINT,
    found_at BIGINT NOT NULL,
    gone_at BIGINT,
    run BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 0,
    UNIQUE (mchid, day, kind, subject)
);
CREATE INDEX difference_state ON difference (day, state, mchid);
CREATE INDEX difference_open ON difference (day, mchid, id) WHERE state = 'open';
CREATE INDEX difference_order ON difference (order_id) WHERE order_id IS NOT NULL;

-- Our side of a day, in its own order.
CREATE INDEX attempt_paid ON attempt (mchid, paid_at, id) WHERE paid_at IS NOT NULL;
CREATE INDEX refund_accepted ON refund (mchid, accepted_at, id) WHERE accepted_at IS NOT NULL;
