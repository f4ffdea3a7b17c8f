-- The provider of an order's newest attempt; '' before there is one, and for orders that were written by an
-- older format until their next step.
ALTER TABLE orders ADD COLUMN sent_by TEXT NOT NULL DEFAULT '';

-- How many orders there are of each state, by that provider.
ALTER TABLE tally RENAME TO tally_before;
CREATE TABLE tally (
    state TEXT NOT NULL,
    provider TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (state, provider)
) STRICT, WITHOUT ROWID;
INSERT INTO tally (state, provider, n) SELECT state, '', n FROM tally_before;
DROP TABLE tally_before;

-- How long the oldest doubt has lasted is asked every few seconds.
CREATE INDEX orders_unknown ON orders (state) WHERE state = 'unknown';
