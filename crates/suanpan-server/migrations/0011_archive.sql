-- Orders that were moved into files, and what stays of each: its numbers, so that none is used again and money that comes
-- late is known.

-- The files. 'open' until all that is in it and has not changed is gone from here; at most one is.
CREATE TABLE archive_file (
    name TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('open', 'done')),
    sha256 TEXT NOT NULL,
    before_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    archived BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX archive_file_open ON archive_file (state) WHERE state = 'open';

-- `view` is the order as callers saw it last; JSON.
CREATE TABLE archived_order (
    order_id TEXT NOT NULL PRIMARY KEY,
    mchid TEXT NOT NULL,
    reference TEXT NOT NULL,
    file TEXT NOT NULL,
    view TEXT NOT NULL,
    archived_at BIGINT NOT NULL,
    UNIQUE (mchid, reference)
);

-- `kind` and what is in `known`: 'payment', an out_trade_no, with the transaction that paid it, if one did; 'refund', an
-- out_refund_no, and 'refund_reference', each with the refund's id.
CREATE TABLE archived_number (
    mchid TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'refund', 'refund_reference')),
    number TEXT NOT NULL,
    order_id TEXT NOT NULL,
    known TEXT,
    PRIMARY KEY (mchid, kind, number)
);

CREATE INDEX refund_key_refund ON refund_key (refund_id);
