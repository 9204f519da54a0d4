-- What the console shows is found, and the sums of a day are made, without a look at the rest.

-- Money in and money back of an account: all that a sum needs is in the index.
CREATE INDEX orders_paid ON orders (mchid, paid_at, amount) WHERE paid_at IS NOT NULL;
CREATE INDEX refund_succeeded ON refund (mchid, succeeded_at, amount) WHERE succeeded_at IS NOT NULL;

CREATE INDEX refund_created ON refund (created_at, id);
CREATE INDEX refund_state ON refund (state, created_at, id);

-- WeChat's own numbers, as they stand on a payer's receipt.
CREATE INDEX attempt_transaction ON attempt (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX refund_wechat ON refund (refund_id) WHERE refund_id IS NOT NULL;

-- When WeChat was last heard of, and what a person must look at.
CREATE INDEX inbox_heard ON inbox (mchid, verdict, received_at);

-- What happened last, whatever the order.
CREATE INDEX journal_at ON journal (at, order_id, seq);
