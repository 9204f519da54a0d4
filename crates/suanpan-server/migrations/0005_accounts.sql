-- WeChat's keys and the accounts of partners.

-- WeChat's platform certificates as they were fetched, shared by all nodes; kept until they expire. Nothing in it is
-- secret.
CREATE TABLE platform_certificate (
    mchid TEXT NOT NULL,
    serial TEXT NOT NULL,
    pem TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL,
    PRIMARY KEY (mchid, serial)
);

-- Partner mode: for whom an attempt was placed, and under which app of the partner. NULL for a direct merchant.
ALTER TABLE attempt ADD COLUMN sub_mchid TEXT;
ALTER TABLE attempt ADD COLUMN sp_appid TEXT;

-- What is not done yet, counted by kind for whoever looks at the metrics.
CREATE INDEX due_open ON due (kind, state) WHERE state <> 'done';
