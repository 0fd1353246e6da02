-- Deferred constraints and triggers are looked after now instead of at COMMIT.
SET CONSTRAINTS ALL IMMEDIATE
