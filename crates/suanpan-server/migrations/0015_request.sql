-- One id from the phone's call to the merchant's webhook: that of the payer's request that placed the attempt.
ALTER TABLE attempt ADD COLUMN request_id TEXT;
