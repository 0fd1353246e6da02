CREATE TABLE products (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenants,
    sku       text NOT NULL,
    name      text NOT NULL,
    price     numeric(10,2) NOT NULL CHECK (price >= 0),
    UNIQUE (tenant_id, sku)
);

COPY products (tenant_id, sku, name, price) FROM stdin;
1	CLOCK-1	Grandfather clock; oak	1250.00
1	VASE-7	Vase, "Ming style"	89.90
2	BIKE-26	City bike	499.00
\.
