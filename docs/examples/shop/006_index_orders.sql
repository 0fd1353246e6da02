-- pgmigrate: no-transaction
-- Built beside the running shop: nobody waits for it.
CREATE INDEX CONCURRENTLY orders_by_customer ON orders (tenant_id, customer);
