CREATE FUNCTION set_order_total() RETURNS trigger
    LANGUAGE plpgsql
AS $body$
BEGIN
    -- The semicolons in here are the function's, not the file's.
    UPDATE orders
       SET total = (SELECT COALESCE(sum(l.quantity * p.price), 0)
                      FROM order_lines AS l
                      JOIN products AS p ON p.id = l.product_id
                     WHERE l.order_id = NEW.order_id)
     WHERE id = NEW.order_id;
    RETURN NEW;
END;
$body$;

CREATE TRIGGER order_total
    AFTER INSERT OR UPDATE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION set_order_total();
