-- A merchant's orders that have not ended, by time, for lists: among many orders they are few, and a page of them
-- is found without looking at all of these.
CREATE INDEX orders_at_work ON orders (merchant, accepted) WHERE open = 1;
