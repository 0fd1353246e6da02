-- Orders that were shipped need not be kept.
DELETE FROM orders WHERE status <> 'shipped';
