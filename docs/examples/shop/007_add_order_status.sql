-- A data migration: the new column starts with a value worked out from what is there.
ALTER TABLE orders ADD COLUMN status text;

INSERT INTO orders (tenant_id, customer, status)
VALUES (1, 'Grace', 'placed'), (1, 'Linus', 'shipped'), (2, 'Edsger', 'placed');

UPDATE orders SET status = 'placed' WHERE status IS NULL;

ALTER TABLE orders
    ALTER COLUMN status SET NOT NULL,
    ADD CONSTRAINT orders_status CHECK (status IN ('placed', 'paid', 'shipped'));
