# SPDX-License-Identifier: PostgreSQL
# Statements outside any transaction: what is left when they fail, are interrupted, or lose their connection.

load helpers
load faults

bare() # STEM, the statements from stdin
{
    { echo "-- pgmigrate: no-transaction"; cat; } | migration "$1"
}

# A procedure that commits a row and then fails.
half_way()
{
    psql_value "create table did (id int);
        create procedure half_way() language plpgsql as
            'begin insert into did values (1); commit; raise exception ''enough''; end'"
}

@test "a CALL or DO that fails and has committed nothing leaves nothing: exit 1" {
    psql_value "create procedure refuse() language plpgsql as 'begin create table t (id int); raise exception ''no''; end'"
    for statement in 'CALL refuse();' "DO \$\$ BEGIN CREATE TABLE t (id int); RAISE EXCEPTION 'no'; END \$\$;"; do
        bare 001_x <<<"$statement"
        run_pgmigrate apply
        assert_status 1
        assert_value "select to_regclass('t') is null" t
    done
}

@test "a CALL or DO that fails after it has committed is half done: exit 7" {
    half_way
    for statement in 'CALL half_way();' "DO \$\$ BEGIN INSERT INTO did VALUES (1); COMMIT; RAISE EXCEPTION 'enough'; END \$\$;"; do
        psql_value "truncate did"
        bare 001_x <<<"$statement"
        run_pgmigrate apply --json
        assert_status 7
        assert_stderr "stays; it begins anew the next time"
        assert_value "select count(*) from did" 1
    done
}

@test "the same holds for a rollback script" {
    half_way
    migration 001_x <<<'CREATE TABLE x (id int);'
    bare 001_x_rollback <<<'CALL half_way();'
    run_pgmigrate apply
    assert_status 0
    run_pgmigrate rollback --accept-data-loss
    assert_status 7
    assert_value "select count(*) from did" 1
    assert_value "select state from schema_migrations" undoing

    psql_value "create or replace procedure half_way() language plpgsql as 'begin raise exception ''no''; end'"
    run_pgmigrate rollback --accept-data-loss
    assert_status 1
    assert_stderr "no"
}

@test "a CALL that was kept from a lock after it has committed is not begun anew by itself" {
    psql_value "create table busy (id int); create table did (id int);
        create procedure work() language plpgsql as
            'begin insert into did values (1); commit; lock table busy; end'"
    bare 001_x <<<'CALL work();'
    psql -XAtq -d "$DATABASE_URL" -c "begin; lock table busy; select pg_sleep(3); rollback" 3>&- &
    wait_until psql_true "select count(*) > 0 from pg_locks where relation = 'busy'::regclass and granted"
    run_pgmigrate apply
    assert_status 7
    assert_value "select count(*) from did" 1
}

@test "a statement that ends in spite of a signal is recorded, and does not run again" {
    # A machine that stands still for half a second lets a second request to cancel come behind the first.
    psql_value "create table did (id int);
        create procedure stubborn() language plpgsql as
            'declare seconds int := 30;
             begin
                 loop
                     begin
                         perform pg_sleep(seconds);
                         insert into did values (1);
                         exit;
                     exception when query_canceled then
                         seconds := 0;
                     end;
                 end loop;
             end'"
    bare 001_x <<<$'CALL stubborn();\nCREATE TABLE x (id int);'
    start_pgmigrate apply
    wait_until sleeping
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
    assert_value "select count(*) from did" 1
    assert_value "select statements_done from schema_migrations" 1
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from did" 1
}

@test "a connection lost in the first statement, which was rolled back, leaves nothing: exit 4" {
    bare 001_x <<<$'CREATE TABLE x AS SELECT 1 AS one FROM pg_sleep(30);\nCREATE TABLE y (id int);'
    start_pgmigrate apply
    wait_until sleeping
    terminate
    wait_pgmigrate
    assert_status 4
    assert_value "select to_regclass('x') is null" t
    bare 001_x <<<$'CREATE TABLE x (id int);\nCREATE TABLE y (id int);'
    run_pgmigrate apply
    assert_status 0
}

@test "a connection lost at the COMMIT of one of the statements: it counts if the server has committed it" {
    slow_commit
    start_cutter
    bare 001_x <<<$'INSERT INTO slow VALUES (1);\nCREATE TABLE y (id int);'
    start_pgmigrate apply -d "$CUT_URL"
    wait_until committing
    hide_server
    cut_the_answer
    wait_until psql_true "select count(*) = 1 from slow"
    show_server
    wait_pgmigrate
    assert_status 7
    assert_stderr "1 of 2 statements are done"
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from slow" 1
}

# Nobody is told any more what became of a transaction, in this database.
forget_transactions()
{
    psql_value "alter function pg_catalog.pg_xact_status(xid8) rename to pg_xact_status_hidden"
}

@test "a COMMIT of one of the statements that was lost and cannot be asked for is unknown: exit 8" {
    slow_commit
    start_cutter
    forget_transactions
    bare 001_x <<<$'CREATE TABLE x (id int);\nINSERT INTO slow VALUES (1);\nCREATE TABLE y (id int);'
    start_pgmigrate apply -d "$CUT_URL" --json
    wait_until committing
    cut_the_answer
    wait_pgmigrate
    assert_status 8
    assert_equal "$(json .error.code)" unknown
    assert_stderr 'not known whether the transaction of statement 2 of "001_x" was committed'
    assert_stderr "1 of 3 statements were done before; applying again is safe"
    refute_stderr "look at the database"
    assert_value "select count(*) from schema_migrations_log where action = 'failed'" 0
    run_pgmigrate apply
    assert_status 0
    assert_value "select count(*) from slow" 1
}

@test "the same holds for a COMMIT of a rollback script" {
    slow_commit
    start_cutter
    forget_transactions
    migration 001_x <<<'CREATE TABLE x (id int);'
    bare 001_x_rollback <<<$'INSERT INTO slow VALUES (1);\nVACUUM x;\nDROP TABLE x;'
    run_pgmigrate apply
    assert_status 0
    start_pgmigrate rollback --accept-data-loss -d "$CUT_URL"
    wait_until committing
    cut_the_answer
    wait_pgmigrate
    assert_status 8
    assert_stderr "rolling back again is safe"
    run_pgmigrate rollback --accept-data-loss
    assert_status 0
    assert_value "select count(*) from slow" 1
}

detaching()
{
    psql_true "select exists (select from pg_inherits where inhdetachpending and inhparent = 'app.t'::regclass)"
}

@test "of a DETACH PARTITION CONCURRENTLY that is not finished it is told how to finish it" {
    [ "$(server_major)" -ge 14 ] || skip "PostgreSQL 14 has it"
    for schema in other app; do
        psql_value "create schema $schema; create table $schema.t (id int) partition by range (id);
            create table $schema.\"T1\" partition of $schema.t for values from (1) to (2)"
    done
    psql_value "set allow_system_table_mods = on; update pg_inherits set inhdetachpending = true where inhparent = 'other.t'::regclass"
    finish='ALTER TABLE app.t DETACH PARTITION app."T1" FINALIZE'
    bare 001_x <<<$'CREATE TABLE x (id int);\nALTER TABLE app.t DETACH PARTITION app."T1" CONCURRENTLY;\nCREATE TABLE y (id int);'
    hold reader "select * from app.t"
    start_pgmigrate apply
    wait_until detaching
    kill -TERM "$PGMIGRATE_PID"
    wait_pgmigrate
    assert_status 143
    assert_stderr "$finish"
    assert_stderr "pgmigrate repair 001_x --resume-at 3"
    refute_stderr "begins anew"
    # Trying it again does no harm and does not help.
    run_pgmigrate apply
    assert_status 7
    assert_stderr "$finish"
    # The same where nobody was there to hear what became of it.
    psql_value "update schema_migrations set state = 'running', statement_started = 1"
    for command in plan apply; do
        run_pgmigrate "$command"
        assert_status 7
        assert_stderr "$finish"
        assert_stderr "--resume-at 3"
        refute_stderr "--resume-at 2"
    done
    run_pgmigrate status
    assert_stderr "$finish"
    release reader
    wait_until psql_value "$finish"
    run_pgmigrate apply
    assert_status 7
    assert_stderr "--resume-at 2"
    refute_stderr FINALIZE # of the other
    run_pgmigrate repair 1 --resume-at 3 --reason "finished by hand"
    assert_status 0
    run_pgmigrate apply
    assert_status 0
    assert_value "select to_regclass('y') is not null" t
}

@test "status says of a statement whose outcome is not known what apply will say" {
    bare 001_x <<<$'-- pgmigrate: variables\nCREATE TABLE x (id int);\nDO $$ BEGIN PERFORM pg_sleep(30); END $$;\nSELECT :\'v\';'
    start_pgmigrate apply --set v=1
    wait_until sleeping
    terminate
    wait_pgmigrate
    assert_status 7
    run_pgmigrate status
    assert_status 0
    assert_stderr "001_x stopped in statement 2 of 3"
    assert_stderr 'statement 2 of 3 of "001_x" was begun and its outcome is not known'
    assert_stderr "--resume-at 3"
    refute_stderr "goes on from there"
    run_pgmigrate repair 1 --resume-at 2 --reason "it had no effect"
    assert_status 0
    run_pgmigrate status
    assert_stderr "goes on from there"
    # What ran and was changed keeps apply from going on as well.
    bare 001_x <<<$'-- pgmigrate: variables\nCREATE TABLE z (id int);\nSELECT 1;\nSELECT :\'v\';'
    run_pgmigrate status --json
    [[ $(json '.migrations[0].hint') == *'statement 1 of "001_x" was changed after it ran'* ]]
}

@test "status says that apply goes on with a statement that may be repeated" {
    psql_value "create table t (id int)"
    bare 001_x <<<$'SELECT 1;\nVACUUM t;'
    hold reader "lock table t"
    start_pgmigrate apply
    wait_until session "application_name = 'pgmigrate' and wait_event_type = 'Lock'"
    kill -KILL "$PGMIGRATE_PID"
    wait_pgmigrate
    terminate
    wait_until no_session
    run_pgmigrate status
    assert_stderr "001_x stopped in statement 2 of 2"
    assert_stderr "goes on from there"
}
