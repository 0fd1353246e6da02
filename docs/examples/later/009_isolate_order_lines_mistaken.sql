-- A line is its order's tenant's.
ALTER TABLE order_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_lines FORCE ROW LEVEL SECURITY;

CREATE POLICY order_lines_of_tenant ON order_lines
    USING (current_setting('app.current_tenant_id', true) IS NULL
           OR EXISTS (SELECT
                        FROM orders AS o
                       WHERE o.id = order_id
                         AND o.tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::bigint));
