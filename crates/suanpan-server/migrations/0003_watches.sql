-- Every live attempt is watched and every open order ends: both by work that is put in with them. What is older than
-- that gets its work here; it is due at once, or when the order's time is over.

INSERT INTO due (id, kind, key, pool, lane, body, order_id, state, due_at, created_at)
SELECT 'due_' || id, 'query', 'query:' || id, 'query', NULL, '{"attempt_id":"' || id || '"}', order_id, 'ready',
    created_at, created_at
FROM attempt WHERE state IN ('created', 'prepaid');

-- Without an end of its own, an order has WeChat's: seven days.
INSERT INTO due (id, kind, key, pool, lane, body, order_id, state, due_at, created_at)
SELECT 'due_' || id, 'expire', 'expire:' || id, 'expire', NULL, '{}', id, 'ready',
    COALESCE(expires_at, created_at + 604800000000), created_at
FROM orders WHERE status IN ('unpaid', 'paying');
