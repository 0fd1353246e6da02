# SPDX-License-Identifier: PostgreSQL
#
# The migrations themselves: ten kinds in turn, each about an "item" of its own, so that every ten files make
# two tables, two indexes and so on. Called by bench/generate with count, folder and layout.

function create_tables(item)
{
    name = "create_" item
    up = "CREATE TABLE " item " (\n" \
         "    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n" \
         "    code text NOT NULL UNIQUE,\n" \
         "    name text NOT NULL CHECK (length(name) > 0),\n" \
         "    quantity integer NOT NULL DEFAULT 0 CHECK (quantity >= 0),\n" \
         "    price numeric(12, 2) NOT NULL DEFAULT 0,\n" \
         "    created_at timestamptz NOT NULL DEFAULT now()\n" \
         ");\n\n" \
         "CREATE TABLE " item "_line (\n" \
         "    item_id bigint NOT NULL REFERENCES " item " (id) ON DELETE CASCADE,\n" \
         "    position integer NOT NULL CHECK (position > 0),\n" \
         "    note text,\n" \
         "    PRIMARY KEY (item_id, position)\n" \
         ");\n\n" \
         "COMMENT ON TABLE " item " IS 'What can be ordered; one row for each article.';\n" \
         "COMMENT ON TABLE " item "_line IS 'The parts of an article, in order.';\n"
    down = "DROP TABLE " item "_line;\nDROP TABLE " item ";\n"
}

function create_indexes(item)
{
    name = "index_" item
    up = "CREATE INDEX " item "_created_at_idx ON " item " (created_at);\n" \
         "CREATE INDEX " item "_lower_name_idx ON " item " (lower(name));\n"
    down = "DROP INDEX " item "_lower_name_idx;\nDROP INDEX " item "_created_at_idx;\n"
}

function add_columns(item)
{
    name = "extend_" item
    up = "ALTER TABLE " item "\n" \
         "    ADD COLUMN status text NOT NULL DEFAULT 'new',\n" \
         "    ADD COLUMN weight numeric(8, 3);\n" \
         "COMMENT ON COLUMN " item ".status IS 'new, active or retired';\n"
    down = "ALTER TABLE " item " DROP COLUMN weight, DROP COLUMN status;\n"
}

function insert_rows(item,    row)
{
    name = "fill_" item
    up = "-- Reference data: twenty articles and their first parts; it's what the shop starts with.\n" \
         "INSERT INTO " item " (code, name, quantity, price) VALUES\n"
    for (row = 1; row <= 20; row++)
        up = up sprintf("    ('A-%03d', 'Article number %d; plain', %d, %d.50)%s\n", row, row, row * 3, row,
                        row < 20 ? "," : ";")
    up = up "INSERT INTO " item "_line (item_id, position, note)\n" \
         "    SELECT id, 1, 'first part of ' || code FROM " item " ORDER BY id;\n"
    down = "DELETE FROM " item ";\n"
}

function create_view(item)
{
    name = "view_" item
    up = "CREATE VIEW " item "_value AS\n" \
         "    SELECT i.code, i.name, i.quantity * i.price AS value, count(l.position) AS lines\n" \
         "    FROM " item " i\n" \
         "    LEFT JOIN " item "_line l ON l.item_id = i.id\n" \
         "    WHERE i.status <> 'retired'\n" \
         "    GROUP BY i.id;\n"
    down = "DROP VIEW " item "_value;\n"
}

function create_function(item)
{
    name = "function_" item
    up = "CREATE FUNCTION " item "_total(wanted text) RETURNS numeric\n" \
         "LANGUAGE plpgsql STABLE AS $$\n" \
         "DECLARE\n" \
         "    total numeric;\n" \
         "BEGIN\n" \
         "    -- Retired articles have no value; the view leaves them out.\n" \
         "    SELECT sum(value) INTO total FROM " item "_value WHERE code = wanted;\n" \
         "    RETURN coalesce(total, 0);\n" \
         "END;\n" \
         "$$;\n" \
         "COMMENT ON FUNCTION " item "_total(text) IS 'The value of one article in stock.';\n"
    down = "DROP FUNCTION " item "_total(text);\n"
}

function update_rows(item)
{
    name = "activate_" item
    up = "UPDATE " item " SET status = 'active', weight = quantity * 0.125 WHERE quantity > 6;\n" \
         "UPDATE " item "_line l SET note = note || ', weighed' FROM " item " i\n" \
         "    WHERE i.id = l.item_id AND i.weight IS NOT NULL;\n"
    down = "UPDATE " item " SET status = 'new', weight = NULL;\n"
}

function add_constraints(item)
{
    name = "constrain_" item
    up = "ALTER TABLE " item " ADD CONSTRAINT " item "_status_check\n" \
         "    CHECK (status IN ('new', 'active', 'retired')) NOT VALID;\n" \
         "ALTER TABLE " item " VALIDATE CONSTRAINT " item "_status_check;\n"
    down = "ALTER TABLE " item " DROP CONSTRAINT " item "_status_check;\n"
}

function create_trigger(item)
{
    name = "trigger_" item
    up = "CREATE FUNCTION " item "_touch() RETURNS trigger\n" \
         "LANGUAGE plpgsql AS $body$\n" \
         "BEGIN\n" \
         "    IF NEW.status = 'retired' THEN\n" \
         "        NEW.quantity := 0;\n" \
         "    END IF;\n" \
         "    RETURN NEW;\n" \
         "END;\n" \
         "$body$;\n" \
         "CREATE TRIGGER " item "_touch BEFORE UPDATE ON " item "\n" \
         "    FOR EACH ROW EXECUTE FUNCTION " item "_touch();\n"
    down = "DROP TRIGGER " item "_touch ON " item ";\nDROP FUNCTION " item "_touch();\n"
}

function add_policy(item)
{
    name = "protect_" item
    up = "ALTER TABLE " item "_line ADD COLUMN owner text NOT NULL DEFAULT 'nobody';\n" \
         "CREATE INDEX " item "_line_owner_idx ON " item "_line (owner) WHERE owner <> 'nobody';\n" \
         "ALTER TABLE " item "_line ENABLE ROW LEVEL SECURITY;\n" \
         "CREATE POLICY owners ON " item "_line USING (owner = current_user);\n"
    down = "DROP POLICY owners ON " item "_line;\n" \
           "ALTER TABLE " item "_line DISABLE ROW LEVEL SECURITY;\n" \
           "ALTER TABLE " item "_line DROP COLUMN owner;\n"
}

function make(number,    kind, item)
{
    kind = (number - 1) % 10
    item = sprintf("item_%04d", (number - 1 - kind) / 10)
    if (kind == 0) create_tables(item)
    else if (kind == 1) create_indexes(item)
    else if (kind == 2) add_columns(item)
    else if (kind == 3) insert_rows(item)
    else if (kind == 4) create_view(item)
    else if (kind == 5) create_function(item)
    else if (kind == 6) update_rows(item)
    else if (kind == 7) add_constraints(item)
    else if (kind == 8) create_trigger(item)
    else add_policy(item)
}

function write(path, text)
{
    printf "%s", text > (folder "/" path)
    close(folder "/" path)
}

BEGIN {
    plan = "%syntax-version=1.0.0\n%project=bench\n\n"
    for (number = 1; number <= count; number++) {
        make(number)
        stem = sprintf("%05d_%s", number, name)
        if (layout == "native") {
            write(stem ".sql", up)
            write(stem "_rollback.sql", down)
        } else if (layout == "dbmate") {
            write(stem ".sql", "-- migrate:up\n" up "\n-- migrate:down\n" down)
        } else if (layout == "node") {
            # A prefix of 13 digits is a time in milliseconds for node-pg-migrate: 2026-01-01 and on.
            write(sprintf("%.0f_%s.sql", 1767225600000 + number, name), "-- Up Migration\n" up "\n-- Down Migration\n" down)
        } else {
            write("deploy/" stem ".sql", "BEGIN;\n\n" up "\nCOMMIT;\n")
            write("revert/" stem ".sql", "BEGIN;\n\n" down "\nCOMMIT;\n")
            plan = plan stem sprintf(" 2026-01-01T%02d:%02d:%02dZ Bench <bench@example.com> # %s\n",
                                     number / 3600, number / 60 % 60, number % 60, name)
        }
    }
    if (layout == "sqitch")
        write("sqitch.plan", plan)
}
