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

-- What an order was accepted as stays, but for its account, of which only the masked form is left once it has
-- long ended and nobody asks about it any more.
DROP TRIGGER orders_stay;
CREATE TRIGGER orders_stay BEFORE UPDATE OF
    key, merchant, order_id, kind, yuan, carrier, provider, reply_to, accepted, epoch, monotonic, held
ON orders
BEGIN SELECT raise(ABORT, 'an order stays as it was accepted'); END;
CREATE TRIGGER orders_forget BEFORE UPDATE OF account ON orders
WHEN old.open = 1 OR old.due IS NOT NULL OR instr(new.account, '****') = 0
BEGIN SELECT raise(ABORT, 'the account of an order is only ever masked, after its end'); END;
