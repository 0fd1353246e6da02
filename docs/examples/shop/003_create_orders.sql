-- Written for psql, with its own transaction: pgmigrate puts its own in its place.
BEGIN;

CREATE TABLE orders (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   bigint NOT NULL REFERENCES tenants,
    customer    text NOT NULL,
    placed_at   timestamptz NOT NULL DEFAULT now(),
    total       numeric(12,2) NOT NULL DEFAULT 0
);

CREATE TABLE order_lines (
    order_id   bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id bigint NOT NULL REFERENCES products,
    quantity   integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, product_id)
);

COMMIT;
