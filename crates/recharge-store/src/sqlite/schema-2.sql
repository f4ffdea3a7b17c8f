-- Where the merchant is told what becomes of an order, as whoever took it said.
ALTER TABLE orders ADD COLUMN reply_to TEXT;
-- A merchant's orders by time, for lists and statements; those that failed, which are few, as well.
CREATE INDEX orders_merchant ON orders (merchant, accepted);
DROP INDEX orders_failed;
CREATE INDEX orders_failed ON orders (merchant, accepted) WHERE state = 'failed';

DROP TRIGGER orders_stay;
CREATE TRIGGER orders_stay BEFORE UPDATE OF
    key, merchant, order_id, kind, account, yuan, carrier, provider, reply_to, accepted, epoch, monotonic,
    held
ON orders
BEGIN SELECT raise(ABORT, 'an order stays as it was accepted'); END;

-- When a message came to be, and how its delivery stands: without `next` it has been given up.
ALTER TABLE outbox ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN next INTEGER DEFAULT 0;
ALTER TABLE outbox ADD COLUMN trouble TEXT;
CREATE INDEX outbox_next ON outbox (next) WHERE next IS NOT NULL;
CREATE INDEX outbox_order ON outbox (key, kind) WHERE next IS NOT NULL;

-- Who may use the gateway. The secret of an API key is kept as its hash; one that must be readable again
-- is sealed under the master key.
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    merchant TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'juhe', 'jisu')),
    secret BLOB NOT NULL,
    scopes TEXT NOT NULL,
    person TEXT,
    callback_url TEXT,
    created INTEGER NOT NULL,
    revoked INTEGER,
    used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_merchant ON keys (merchant);

-- Where a merchant is told what becomes of orders that don't say so themselves, and with what secret.
CREATE TABLE endpoints (
    merchant TEXT PRIMARY KEY,
    url TEXT,
    secret BLOB NOT NULL,
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rises with every change of who may do what, so that a running gateway sees it.
CREATE TABLE access (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL
) STRICT;
INSERT INTO access (id, generation) VALUES (1, 0);

-- Files of orders that were handed in, until each of their orders has been accepted or refused.
CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    merchant TEXT NOT NULL,
    created INTEGER NOT NULL,
    done INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_merchant ON batches (merchant, created);
CREATE TABLE batch_rows (
    batch TEXT NOT NULL,
    row INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    -- The order as it is to be accepted, and after that nothing: the orders have it.
    ordered TEXT,
    -- Why it was not accepted.
    refused TEXT,
    PRIMARY KEY (batch, row)
) STRICT, WITHOUT ROWID;
