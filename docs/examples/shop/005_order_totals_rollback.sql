DROP TRIGGER order_total ON order_lines;
DROP FUNCTION set_order_total();
