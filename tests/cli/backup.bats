# SPDX-License-Identifier: PostgreSQL
# Taking a backup: what is in it, and what it tells.

load helpers
load backup

setup()
{
    backup_setup
}

@test "a backup is one tar, with its digest and its record beside it" {
    create_table notes 10
    run_pgmigrate backup create
    assert_status 0
    [[ $output =~ ^([0-9]{8}T[0-9]{6}Z-$TEST_DATABASE-[0-9a-f]+):\ 1\ table,\ 10\ rows, ]]
    id=${BASH_REMATCH[1]}
    assert_equal "$(stat -c %a backups "backups/$id.tar" "backups/$id.json" | xargs)" "700 600 600"
    (cd backups && sha256sum -c --quiet "$id.tar.sha256")
    tar tf "backups/$id.tar" >members
    for member in README.txt restore.sh globals.sql database.sql schema.dump manifest.json SHA256SUMS; do
        grep -qx "$member" members
    done
    mkdir unpacked
    tar -xf "backups/$id.tar" -C unpacked
    (cd unpacked && sha256sum -c --quiet SHA256SUMS)
    pg_restore -l unpacked/schema.dump | grep -q "TABLE public notes"
    zstd -dcq unpacked/data/*.zst | pg_restore -l | grep -q "TABLE DATA public notes"
}

@test "the JSON document says what the record says" {
    create_table notes 10
    take_backup --tag "before the fair"
    record=${ARCHIVE%.tar}.json
    for field in id bytes raw_bytes sha256 tables rows; do
        assert_equal "$(json ".$field")" "$(jq -r ".$field" "$record")"
    done
    assert_equal "$(json '.ok, .exit_code, .skipped')" "$(printf 'true\n0\n0')"
    assert_equal "$(stat -c %s "$ARCHIVE")" "$(json .bytes)"
    assert_equal "$(sha256sum <"$ARCHIVE" | cut -c 1-64)" "$(json .sha256)"
    assert_equal "$(jq -r .tag "$record")" "before the fair"
}

@test "a large table is cut, and its pieces are all of it" {
    create_table big 20000
    take_backup -j 3 --split-larger-than 256kB
    assert_equal "$(manifest '.tables[0] | .source, .rows, ([.chunks[].rows] | add)')" "$(printf 'copy\n20000\n20000')"
    [ "$(manifest '.tables[0].chunks | length')" -gt 4 ]
    streamed_rows big | sort -n >found
    psql_value "copy (select * from big order by id) to stdout" >expected
    cmp found expected
}

@test "without anything to copy there is still a whole backup" {
    take_backup --verify
    assert_equal "$(json '.tables, .rows')" "$(printf '0\n0')"
    [ "$(json .verified_at)" != null ]
}

@test "the migrations in the snapshot are in the record, and the last one is told" {
    migration 001_one <<<'CREATE TABLE one (x int);'
    migration 002_two <<<'CREATE TABLE two (x int);'
    run_pgmigrate apply
    assert_status 0
    take_backup
    assert_equal "$(json .migrations_version)" 002_two
    assert_equal "$(jq -r '.migrations[]' "${ARCHIVE%.tar}.json" | xargs)" "001_one 002_two"
    assert_equal "$(manifest '.migrations[0] | .version, .state')" "$(printf '001_one\napplied')"
}

@test "what commands print is attached, from the option and from the configuration" {
    printf '[backup]\nattach.release.txt = printf "release 7"\n' >pgmigrate.conf
    take_backup --attach 'shell=echo $HOME; true'
    assert_equal "$(tar -xOf "$ARCHIVE" attachments/release.txt)" "release 7"
    assert_equal "$(tar -xOf "$ARCHIVE" attachments/shell)" '$HOME; true'
    take_backup --attach 'release.txt=printf "release 8"'
    assert_equal "$(tar -xOf "$ARCHIVE" attachments/release.txt)" "release 8"
    run_pgmigrate backup create --attach a=true --attach a=false
    assert_status 2
    assert_stderr 'attachment "a" is given twice'
}

@test "an attachment whose command fails is an error, and nothing is kept" {
    run_pgmigrate backup create --attach 'bad=sh -c "echo no such deployment >&2; exit 3"'
    assert_status 1
    assert_stderr 'attachment "bad"'
    assert_stderr "no such deployment"
    assert_nothing_left
    run_pgmigrate backup create --attach '../evil=true'
    assert_status 2
    assert_stderr '"../evil" cannot be the name of an attachment'
}

@test "what a database has set does not change the rows" {
    psql_value "create table times (t timestamptz, d date, i interval, f float8, r float4, m money, b bytea)"
    psql_value "insert into times select '2024-02-03 04:05:06.789+00'::timestamptz + g * interval '1 day', '2024-02-03',
                  '1 year 2 days 03:04:05', 0.1::float8 + g / 3.0, 0.1 + g / 3.0, 12.34, '\\x00ff' from generate_series(1, 5000) g"
    take_backup --split-larger-than 64kB
    before=$(manifest '.tables[0].fingerprint')
    for setting in "datestyle = 'German, DMY'" "intervalstyle = 'sql_standard'" "extra_float_digits = -15" \
        "timezone = 'Asia/Kathmandu'" "bytea_output = 'escape'" "search_path = 'nowhere'" "statement_timeout = '10s'" \
        "default_transaction_read_only = on" "row_security = on" "quote_all_identifiers = on" "enable_tidscan = off" \
        "client_encoding = 'LATIN1'"; do
        psql_server "alter database $TEST_DATABASE set $setting"
    done
    take_backup --split-larger-than 64kB
    assert_equal "$(manifest '.tables[0].fingerprint')" "$before"
    assert_equal "$(manifest '.tables[0].source')" copy
    assert_equal "$(tar -xOf "$ARCHIVE" database.sql | grep -c ' SET ')" 12
}

@test "lists among the database's settings stay lists" {
    psql_server "alter database $TEST_DATABASE set search_path = \"\$user\", public, \"we\"\"ird, one\""
    psql_server "alter database $TEST_DATABASE set temp_tablespaces = ''"
    psql_server "comment on database $TEST_DATABASE is 'not a :\"database\" nor :database'"
    take_backup
    tar -xOf "$ARCHIVE" database.sql >database.sql
    grep -qF "SET search_path TO '\$user', 'public', 'we\"ird, one'" database.sql
    grep -qF "SET temp_tablespaces TO ''" database.sql
    copy=${TEST_DATABASE}_copy
    psql -Xq -v ON_ERROR_STOP=1 -v "database=$copy" -d "$TEST_SERVER_URL" -f database.sql
    found=$(psql_server "select setconfig::text || shobj_description(d.oid, 'pg_database')
                           from pg_db_role_setting s join pg_database d on d.oid = setdatabase where datname = '$copy'")
    expected=$(psql_server "select setconfig::text || shobj_description(d.oid, 'pg_database')
                              from pg_db_role_setting s join pg_database d on d.oid = setdatabase
                             where datname = '$TEST_DATABASE'")
    psql_server "drop database $copy"
    assert_equal "$found" "$expected"
}

@test "names may hold quotes, blanks, line breaks, patterns and anything else" {
    number=0
    for name in 'with "quotes"' "it's" 'a b' $'new\nline' $'tab\there' 'st*r' 'dollar$' 'pipe|x' 'back\slash' 'ümläut' '?' \
        'a.b' '-v' '"' ':name' 'CamelCase' 'select'; do
        number=$((number + 1))
        quoted=${name//\"/\"\"}
        psql_value "create schema \"s $quoted\"; create table \"s $quoted\".\"$quoted\" (\"$quoted\" int, t text)"
        psql_value "insert into \"s $quoted\".\"$quoted\" select g, repeat('x', 500) from generate_series(1, $number * 40) g"
    done
    take_backup --split-larger-than 4MB
    assert_equal "$(json .tables)" "$number"
    assert_equal "$(json .rows)" "$((40 * number * (number + 1) / 2))"
    [ "$(manifest '[.tables[] | select(.source == "copy")] | length')" -gt 10 ]
    [ "$(manifest '[.tables[] | select(.source == "dump")] | length')" -ge 1 ]
}

@test "tables that pg_dump knows better stay with it, and every table is counted" {
    psql_value "create table nothing ()"
    psql_value "insert into nothing select from generate_series(1, 3000)"
    psql_value "create table computed (a int, b int generated always as (a * 2) stored, c int generated always as identity)"
    psql_value "insert into computed (a) select g from generate_series(1, 5000) g"
    psql_value "create table parent (a int); create table child (b int) inherits (parent)"
    psql_value "insert into parent select g from generate_series(1, 3000) g; insert into child select g, g from generate_series(1, 4000) g"
    psql_value "create type color as enum ('red', 'green', 'blue')"
    psql_value "create table paints (n int, c color) partition by hash (c)"
    psql_value "create table paints_0 partition of paints for values with (modulus 2, remainder 0)"
    psql_value "create table paints_1 (c color, n int)"
    psql_value "alter table paints attach partition paints_1 for values with (modulus 2, remainder 1)"
    psql_value "insert into paints select g, (enum_range(null::color))[g % 3 + 1] from generate_series(1, 9000) g"
    psql_value "create unlogged table fleeting as select g from generate_series(1, 5000) g"
    psql_value "create view seen as select * from parent; create materialized view kept as select * from parent"
    psql_value "create sequence numbers; select nextval('numbers'), lo_create(0)"
    take_backup --split-larger-than 64kB
    sources=$(manifest '.tables | sort_by(.name)[] | "\(.name) \(.source) \(.rows) \(.root)"')
    # Partitions by an enum's hash: which partition has how many is the server's choice.
    assert_equal "$(grep -v paints <<<"$sources")" "$(printf '%s\n' "child copy 4000 null" "computed copy 5000 null" \
        "fleeting copy 5000 null" "nothing dump 3000 null" "parent copy 3000 null")"
    assert_equal "$(grep -c '^paints_. dump [0-9]* "public"."paints"' <<<"$sources")" 2
    assert_equal "$(manifest '[.tables[] | select(.root != null) | .rows] | add')" 9000
    assert_equal "$(manifest '.tables[] | select(.name == "computed") | .columns')" '"a", "c"'
    assert_equal "$(manifest '.tables[] | select(.name == "paints_1") | .columns')" '"n", "c"'
    assert_equal "$(manifest .large_objects)" 1
    assert_equal "$(streamed_rows child | wc -l)" 4000
    assert_equal "$(streamed_rows parent | wc -l)" 3000
}

@test "tables whose physical order matters are marked" {
    for name in random serial brin clustered; do
        psql_value "create table $name as select g as id, md5(g::text) as h, repeat('x', 300) as t from generate_series(1, 5000) g"
    done
    psql_value "create index on random (h); create index on serial (id); create index on brin using brin (id)"
    psql_value "create index clustered_h on clustered (h); cluster clustered using clustered_h; analyze"
    take_backup
    assert_equal "$(manifest '.tables | sort_by(.name)[] | "\(.name) \(.ordered)"' | xargs)" \
        "brin true clustered true random false serial false"
}

@test "rows keep their bytes in databases of other encodings" {
    for encoding in LATIN1 SQL_ASCII; do
        name=${TEST_DATABASE}_${encoding,,}
        psql_server "create database $name encoding '$encoding' template template0 lc_collate 'C' lc_ctype 'C'"
        url=$(database_url "$name")
        PGCLIENTENCODING=$encoding psql -Xq -d "$url" \
            -c "create table t (a text); insert into t select e'\\xe4\\xf6\\xdf' || g from generate_series(1, 5000) g"
        DATABASE_URL=$url take_backup --split-larger-than 64kB
        psql_server "drop database $name"
        streamed_rows t | LC_ALL=C sort | head -n 1 | od -An -tx1 >bytes
        assert_equal "$(xargs <bytes)" "e4 f6 df 31 0a"
        rm -rf backups
    done
}

@test "a name that is not UTF-8 is refused with what to do" {
    name=${TEST_DATABASE}_ascii
    psql_server "create database $name encoding 'SQL_ASCII' template template0 locale 'C'"
    PGCLIENTENCODING=SQL_ASCII psql -Xq -d "$(database_url "$name")" -c $'create table "n\xe9m" (a int)'
    DATABASE_URL=$(database_url "$name") run_pgmigrate backup create
    psql_server "drop database $name"
    assert_status 1
    assert_stderr "A name in this database (of a table, column, role) is not UTF-8."
    assert_nothing_left
}

@test "rows that text cannot carry are copied in binary" {
    psql_value "create table large (id int, b bytea)"
    psql_value "insert into large select g, decode(repeat('ab', 900), 'hex') from generate_series(1, 3000) g"
    psql_value "insert into large select 0, decode(repeat('00', 300000000), 'hex')"
    psql_value "update large set b = b || b where id = 0"
    psql_value "create table small as select g from generate_series(1, 50000) g"
    take_backup -j 2 --split-larger-than 2MB --verify
    assert_equal "$(manifest '.tables | sort_by(.name)[] | "\(.name) \(.binary) \(.rows)"' | xargs)" \
        "large true 3001 small false 50000"
    assert_equal "$(tar -xOf "$ARCHIVE" tables/index.tsv | cut -f 2 | sort | xargs)" "binary copy"
}

@test "large objects and sequences are in pg_dump's data" {
    psql_value "select lo_from_bytea(0, '\\x0102'); create sequence numbers; select setval('numbers', 41)"
    take_backup
    tar -xOf "$ARCHIVE" data/000001.zst | zstd -dc | pg_restore -f - >data.sql
    grep -q "setval('public.numbers', 41" data.sql
    grep -q "lowrite" data.sql
}

@test "roles are in it without their passwords, unless asked for" {
    role=${TEST_DATABASE}_owner
    psql_server "create role $role login password 'secret'"
    psql_server "alter database $TEST_DATABASE owner to $role"
    take_backup
    tar -xOf "$ARCHIVE" globals.sql | grep -q "CREATE ROLE $role"
    tar -xOf "$ARCHIVE" globals.sql >without
    take_backup --role-passwords
    tar -xOf "$ARCHIVE" globals.sql >with
    psql_server "alter database $TEST_DATABASE owner to postgres"
    psql_server "drop role $role"
    grep -q SCRAM-SHA-256 with
    refute_in without SCRAM-SHA-256
    assert_equal "$(tar -xOf "$ARCHIVE" roles.tsv | grep -c "^$role$")" 1
}

refute_in() # FILE TEXT
{
    ! grep -q -- "$2" "$1"
}

@test "in a pipe a short backup says nothing but its result" {
    [[ $(pg_dump --version) == *" $(server_major)."* ]] || skip "pg_dump is of another version than the server, and it says so"
    create_table notes 10
    run_pgmigrate backup create
    assert_status 0
    assert_equal "$stderr" ""
    assert_equal "${#lines[@]}" 2
}

@test "\"backup\" alone takes one, and a wrong word is told" {
    run_pgmigrate backup -q
    assert_status 0
    assert_equal "$output$stderr" ""
    run_pgmigrate backup lsit
    assert_status 2
    assert_stderr 'unknown command "backup lsit"'
}
