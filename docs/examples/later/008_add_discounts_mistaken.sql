-- Ten percent off all vases.
ALTER TABLE products ADD COLUMN discount numeric(5,2);

UPDATE products
   SET discount = 10
 WHERE nmae LIKE 'Vase%';
