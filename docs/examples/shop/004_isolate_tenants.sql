-- The application works as shop_app. Roles belong to the whole server: it may be there already.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_app') THEN
        CREATE ROLE shop_app LOGIN;
    END IF;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON products, orders, order_lines TO shop_app;

-- A session sees the rows of one tenant: SET app.current_tenant_id = '1'.
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
ALTER TABLE products FORCE ROW LEVEL SECURITY;
CREATE POLICY products_of_tenant ON products
    USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::bigint);

ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_of_tenant ON orders
    USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::bigint);
