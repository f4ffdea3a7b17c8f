-- What the installation is, in one row.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- From which the numbers of attempts are derived. Secret.
    numbers BLOB NOT NULL CHECK (length(numbers) = 32),
    lease INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    -- The hold of a restored backup: not begun, or for how many milliseconds of work it lasts.
    restored INTEGER NOT NULL,
    hold_left INTEGER,
    -- The last number of a message. Numbers of delivered ones are not used again.
    message INTEGER NOT NULL,
    -- How often the fate of a commit had to be settled.
    settled INTEGER NOT NULL
) STRICT;

-- An order as it was accepted, which never changes, and what follows from its log.
CREATE TABLE orders (
    key INTEGER PRIMARY KEY,
    merchant TEXT NOT NULL,
    order_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    yuan INTEGER NOT NULL,
    carrier TEXT,
    provider TEXT,
    -- Milliseconds since 1970; the epoch of the clock; nanoseconds since that began.
    accepted INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    monotonic INTEGER NOT NULL,
    held INTEGER NOT NULL,
    -- From here on: as the log has it.
    state TEXT NOT NULL,
    reason TEXT,
    version INTEGER NOT NULL,
    due INTEGER,
    -- 1 until the order ends. Apart from the state, so that its index is left alone until then.
    open INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX orders_name ON orders (merchant, order_id);
-- By time and not by key: what an account had today is asked for at each order.
CREATE INDEX orders_account ON orders (account, accepted);
CREATE INDEX orders_due ON orders (due) WHERE due IS NOT NULL;
CREATE INDEX orders_open ON orders (open) WHERE open = 1;
CREATE INDEX orders_review ON orders (state) WHERE state = 'review';
CREATE INDEX orders_failed ON orders (state) WHERE state = 'failed';

-- What happened, one row a step: the truth.
CREATE TABLE log (
    key INTEGER NOT NULL,
    first INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (key, first)
) STRICT, WITHOUT ROWID;

-- The numbers of orders that are still asked about, for callbacks. All of them stand in the log; here
-- are few, because they are derived and so in no order.
CREATE TABLE asked (
    number TEXT NOT NULL,
    provider TEXT NOT NULL,
    key INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (number, provider)
) STRICT, WITHOUT ROWID;

-- What is to be told: a state to the merchant, an alarm to an operator. Gone when delivered.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('notice', 'alarm')),
    what TEXT NOT NULL
) STRICT;

-- Genuine callbacks. '' is none: a NULL would be unlike itself and come in twice.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    number TEXT NOT NULL,
    upstream_order_id TEXT NOT NULL,
    claims TEXT NOT NULL,
    covers_state INTEGER NOT NULL,
    at INTEGER NOT NULL,
    key INTEGER,
    attempt INTEGER,
    handled INTEGER NOT NULL,
    UNIQUE (number, provider, upstream_order_id, claims)
) STRICT;
CREATE INDEX inbox_unhandled ON inbox (handled) WHERE handled = 0 AND key IS NOT NULL;

-- How many orders there are of each state.
CREATE TABLE tally (
    state TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was written stays as it was.
CREATE TRIGGER log_stays BEFORE UPDATE ON log
BEGIN SELECT raise(ABORT, 'the log is never changed'); END;
CREATE TRIGGER log_keeps BEFORE DELETE ON log
BEGIN SELECT raise(ABORT, 'the log is never shortened'); END;
CREATE TRIGGER orders_stay BEFORE UPDATE OF
    key, merchant, order_id, kind, account, yuan, carrier, provider, accepted, epoch, monotonic, held
ON orders
BEGIN SELECT raise(ABORT, 'an order stays as it was accepted'); END;
CREATE TRIGGER orders_keep BEFORE DELETE ON orders
BEGIN SELECT raise(ABORT, 'an order is never deleted'); END;
