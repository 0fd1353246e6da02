-- Every boolean selected here must be true, or the migration is rolled back.
SELECT bool_and(relrowsecurity AND relforcerowsecurity) AS isolated
  FROM pg_class
 WHERE oid IN ('products'::regclass, 'orders'::regclass);
