# SPDX-License-Identifier: PostgreSQL

load helpers

# No database is needed.
setup()
{
    cd "$BATS_TEST_TMPDIR" || return
    unset DATABASE_URL
}

teardown()
{
    :
}

# A migration with its rollback.
pair() # STEM
{
    migration "$1"
    echo 'SELECT 0;' | migration "$1_rollback"
}

# The findings as "file rule severity line", in order.
findings()
{
    printf '%s' "$output" | jq -r '.findings[] | "\(.file) \(.rule) \(.severity) \(.line // "-")"'
}

finding() # RULE
{
    printf '%s' "$output" | jq -r --arg rule "$1" '[.findings[] | select(.rule == $rule)][0].message'
}

# ---- without git ----

@test "check finds nothing in a good folder and exits 0" {
    echo 'SELECT 1;' | pair 001_a
    printf -- '-- pgmigrate: no-transaction\nVACUUM;\n' | pair 002_b
    run_pgmigrate check
    assert_status 0
    assert_equal "$output" "2 migrations checked: nothing found"
    assert_equal "$stderr" ""
}

@test "notices alone are no reason to fail" {
    echo 'SELECT 1;' | pair 001_a
    echo 'SELECT 1;' | pair 003_b
    run_pgmigrate check
    assert_status 0
    assert_output 'migrations/003_b.sql: notice: number 2 is not used [version-gap]'
    assert_output '2 migrations checked: 0 errors, 0 warnings, 1 notice'
}

@test "warnings and errors exit 3, and all of them come out in one line each" {
    echo 'SELECT 1;' | migration 001_a
    printf 'SELECT 1;\n  VACUUM;\nREINDEX INDEX CONCURRENTLY i;\n' | pair 002_b
    printf 'SELECT 1;\nSELECT $x$ never\n' | pair 003_c
    echo 'SELECT 1;' | migration notes
    run_pgmigrate check
    assert_status 3
    assert_output 'migrations/001_a.sql: warning: the migration has no rollback script [rollback-missing]'
    assert_output 'migrations/002_b.sql:2:3: error: VACUUM cannot run inside a transaction [needs-no-transaction]'
    assert_output 'migrations/002_b.sql:3:1: error: REINDEX CONCURRENTLY cannot run inside a transaction [needs-no-transaction]'
    assert_output 'migrations/003_c.sql:2:8: error: '
    assert_output 'migrations/notes.sql: warning: not a migration, ignored: its name does not begin with a number [stray-file]'
    assert_output '3 migrations checked: 3 errors, 2 warnings, 0 notices'
}

@test "check --json has the findings of the contract" {
    printf 'SELECT 1;\nVACUUM;\n' | pair 001_a
    run_pgmigrate check --json
    assert_status 3
    assert_equal "$(json '[.ok, .exit_code, .error.code, (.error.message | length > 0)] | @csv')" 'false,3,"findings",true'
    assert_equal "$(json .checked)" 1
    assert_equal "$(json '.findings | length')" 1
    assert_equal "$(json '.findings[0] | [.rule, .severity, .file, .line, .column] | @csv')" \
        '"needs-no-transaction","error","migrations/001_a.sql",2,1'
    [ "$(json '.findings[0].hint')" != null ]
}

@test "duplicates, orphans and bad directives are errors naming the files" {
    echo 'SELECT 1;' | pair 007_a
    echo 'SELECT 1;' | pair 7_b
    echo 'SELECT 1;' | migration 012_fix_rollback
    printf -- '-- pgmigrate: no-transactoin\nVACUUM;\n' | pair 013_c
    run_pgmigrate check --json
    assert_status 3
    assert_equal "$(findings)" "migrations/012_fix_rollback.sql rollback-without-forward error -
migrations/013_c.sql version-gap notice -
migrations/013_c.sql directive error 1
migrations/7_b.sql duplicate-version error -"
    [[ $(finding duplicate-version) == *'"migrations/007_a.sql"'* ]]
    [[ $(finding rollback-without-forward) == *'is the rollback of "012_fix.sql", which is not there'* ]]
    run_pgmigrate check --duplicate-versions allow --json
    refute_output duplicate-version
}

@test "a directive after the first statement is an error" {
    printf 'SELECT 1;\n-- pgmigrate: lock_timeout=5s\nSELECT 2;\n' | pair 001_a
    run_pgmigrate check
    assert_status 3
    assert_output 'migrations/001_a.sql:2:4: error: a directive after the first statement has no effect [directive-too-late]'
}

@test "scripts are checked in each of their files and sections" {
    echo 'SELECT 1;' | migration 001_a
    echo 'SELECT (1;' | migration 001_a_rollback
    echo 'ROLLBACK;' | migration 001_a_verify
    printf -- '-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 1;\nVACUUM;\n' | migration 002_b
    run_pgmigrate check --json
    assert_status 3
    assert_equal "$(findings)" "migrations/001_a_rollback.sql unterminated error 1
migrations/001_a_verify.sql transaction-control error 1
migrations/002_b.sql needs-no-transaction error 6"
}

@test "what a transaction needs or does not need is told apart" {
    printf -- '-- pgmigrate: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);\n' | pair 001_a
    printf -- '-- pgmigrate: no-transaction\nSELECT 1;\n' | pair 002_b
    printf 'BEGIN;\nSELECT 1;\nCOMMIT;\n' | pair 003_c
    printf 'SELECT 1;\nCOMMIT;\n' | pair 004_d
    printf '\\gexec\n' | pair 005_e
    printf 'COPY t TO STDOUT;\n' | pair 006_f
    printf -- '-- nothing\n' | pair 007_g
    printf 'SELECT 1 AS a \\gset\n' | pair 008_h
    printf 'SELECT 1\n\\timing\n' | pair 009_i
    run_pgmigrate check --json
    assert_equal "$(findings)" "migrations/001_a.sql concurrently-if-not-exists warning 2
migrations/002_b.sql no-transaction-unneeded notice -
migrations/003_c.sql own-transaction notice 1
migrations/004_d.sql transaction-control error 2
migrations/005_e.sql psql-unsupported error 1
migrations/006_f.sql copy-to-stdout error 1
migrations/007_g.sql empty-script warning -
migrations/008_h.sql psql-unsupported error 1
migrations/009_i.sql psql-unsupported error 2"
}

@test "variables are an error without the directive and none with it" {
    printf "SELECT :'x';\n" | pair 001_a
    printf -- '-- pgmigrate: variables\nSELECT :'"'x'"', :"y";\n' | pair 002_b
    run_pgmigrate check --json
    assert_equal "$(findings)" "migrations/001_a.sql psql-variable error 1"
}

@test "a verify script of a no-transaction migration is an error" {
    printf -- '-- pgmigrate: no-transaction\nVACUUM;\n' | pair 001_a
    echo 'SELECT 1;' | migration 001_a_verify
    run_pgmigrate check --json
    assert_equal "$(findings)" "migrations/001_a_verify.sql verify-no-transaction error -"
}

@test "a requirement must come before the migration" {
    printf -- '-- pgmigrate: requires=002\nSELECT 1;\n' | pair 001_a
    printf -- '-- pgmigrate: requires=1, nine=9\nSELECT 1;\n' | pair 002_b
    printf -- '-- pgmigrate: requires=1 9\nSELECT 1;\n' | pair 003_c
    run_pgmigrate check --json
    assert_equal "$(findings)" "migrations/001_a.sql requires error -
migrations/002_b.sql directive error 1
migrations/003_c.sql requires error -"
}

@test "encodings are told with the place of the bad byte" {
    printf 'SELECT 1;\n-- \344\n' | pair 001_a
    pair 002_b </dev/null
    pair 003_c </dev/null
    printf 'SELECT\0 1;' >migrations/002_b.sql
    printf '\377\376S\0' >migrations/003_c.sql
    run_pgmigrate check
    assert_status 3
    assert_output 'migrations/001_a.sql:2:4: error: the script is not valid UTF-8: byte 0xe4 [invalid-encoding]'
    assert_output 'migrations/002_b.sql:1:7: error: the script holds a NUL byte [nul-byte]'
    assert_output 'migrations/003_c.sql:1:1: error: the script is encoded in UTF-16 [invalid-encoding]'
}

@test "a file that may not be read is an error" {
    [ "$(id -u)" != 0 ] || skip "root may read everything"
    echo 'SELECT 1;' | pair 001_a
    chmod 0 migrations/001_a.sql
    run_pgmigrate check
    assert_status 3
    assert_output 'Permission denied [file-unreadable]'
}

@test "a protected environment wants every rollback" {
    printf '[environment production]\nprotected = yes\n' >pgmigrate.conf
    echo 'SELECT 1;' | migration 001_a
    printf -- '-- pgmigrate: irreversible\nSELECT 1;\n' | migration 002_b
    run_pgmigrate check -e production --json
    assert_equal "$(findings)" "migrations/001_a.sql rollback-missing error -"
    run_pgmigrate check --json
    assert_equal "$(findings)" "migrations/001_a.sql rollback-missing warning -"
    run_pgmigrate check --rollback-required no
    assert_status 0
}

@test "files in which both halves would run are errors, whatever their names" {
    printf -- '-- +goose up\nSELECT 1;\n-- +goose down\nSELECT 2;\n' | pair 001_a
    printf -- '-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n' | pair 002_b
    printf -- '  -- migrate:up\nSELECT 1;\n  -- migrate:down\nSELECT 2;\n' | pair 003_c
    printf -- '-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n' | tee migrations/004_d.up.sql >migrations/V5__e.sql
    printf -- '-- migrate:up\nSELECT 1;\n' >migrations/006_f.up.sql
    printf -- '-- migrate:down\nSELECT 1;\n' >migrations/006_f.down.sql
    run_pgmigrate check --rollback-required no --json
    assert_status 3
    assert_equal "$(json '.findings[] | select(.severity == "error") | "\(.file):\(.line) \(.rule)"')" \
        "migrations/001_a.sql:1 foreign-sections
migrations/002_b.sql:3 foreign-sections
migrations/003_c.sql:1 sections
migrations/004_d.up.sql:3 sections
migrations/V5__e.sql:3 sections"
}

@test "a missing folder is a usage error, an empty one a notice" {
    run_pgmigrate check
    assert_status 2
    assert_stderr 'could not open migrations folder "migrations": No such file or directory'
    mkdir migrations
    run_pgmigrate check
    assert_status 0
    assert_output '[folder-empty]'
}

@test "several folders are checked as one sequence" {
    mkdir core pack
    printf '[migrations]\ndirectory = core, pack\nrollback_required = no\n' >pgmigrate.conf
    echo 'SELECT 1;' >core/001_a.sql
    echo 'SELECT 1;' >pack/002_b.sql
    echo 'SELECT 1;' >core/003_c.sql
    mkdir elsewhere
    cd elsewhere
    run_pgmigrate check
    assert_status 0
    assert_output '3 migrations checked: nothing found'
    echo 'SELECT 1;' >../pack/3_d.sql
    run_pgmigrate check
    assert_status 3
    assert_output '../pack/3_d.sql: error: number "3" is used by "../core/003_c.sql", too [duplicate-version]'
}

# ---- beside another branch ----

git_here()
{
    git -c user.name=Test -c user.email=test@example.org -c init.defaultBranch=main -c commit.gpgsign=false \
        -c core.hooksPath=/dev/null -c core.autocrlf=false "$@"
}

# A repository whose folder app/migrations has two migrations on main, with a branch "work" checked out.
repository()
{
    export HOME=$BATS_TEST_TMPDIR GIT_CONFIG_NOSYSTEM=1
    git_here init -q project
    cd project/
    mkdir app
    cd app
    echo 'CREATE TABLE a (b int);' | pair 001_a
    echo 'CREATE TABLE b (b int);' | pair 002_b
    git_here add -A
    git_here commit -qm base
    git_here checkout -qb work
}

# Commit what is in the folder to main, and return to the branch as it was.
main_gains() # STEM
{
    git_here stash -qu
    git_here checkout -q main
    echo 'SELECT 1;' | pair "$1"
    git_here add -A
    git_here commit -qm "$1"
    git_here checkout -q work
    git_here stash pop -q 2>/dev/null || true
}

@test "--base finds nothing where nothing changed" {
    repository
    run_pgmigrate check --base main --json
    assert_status 0
    assert_equal "$(findings)" ""
    assert_equal "$(json '.added | length')" 0
}

@test "--base lists what the branch adds, committed or not" {
    repository
    echo 'SELECT 1;' | pair 003_c
    git_here add -A
    git_here commit -qm c
    echo 'SELECT 1;' | pair 004_d
    run_pgmigrate check --base main --json
    assert_status 0
    assert_equal "$(json '.added | join(" ")')" "003_c 004_d"
    assert_equal "$(findings)" "migrations/003_c.sql base-added notice -
migrations/004_d.sql base-added notice -"
}

@test "--base finds a number that the base gave away meanwhile" {
    repository
    echo 'SELECT 1;' | pair 003_mine
    main_gains 0003_theirs
    run_pgmigrate check --base main
    assert_status 3
    assert_output 'migrations/003_mine.sql: error: number "003" was given to "0003_theirs.sql" on "main" meanwhile [base-collision]'
}

@test "--base does not mind a file that both branches have" {
    repository
    echo 'SELECT 1;' | pair 003_same
    main_gains 003_same
    [ -e migrations/003_same.sql ] || echo 'SELECT 1;' | pair 003_same
    run_pgmigrate check --base main
    assert_status 0
}

@test "--base warns of a migration that comes before what the base has" {
    repository
    echo 'SELECT 1;' | pair 003_mine
    main_gains 004_theirs
    run_pgmigrate check --base main
    assert_status 3
    assert_output 'migrations/003_mine.sql: warning: the migration comes before "004_theirs", which "main" has already [base-out-of-order]'
}

@test "--base tells edited statements from edited comments and line ends" {
    repository
    echo 'CREATE TABLE a (b bigint);' | migration 001_a
    printf -- '-- Explained.\nCREATE TABLE  b (b int);\n' | migration 002_b
    printf 'SELECT 0;\r\n' | migration 001_a_rollback
    echo 'SELECT 2;' | migration 002_b_rollback
    run_pgmigrate check --base main --json
    assert_status 3
    assert_equal "$(findings)" "migrations/001_a.sql base-edited error -
migrations/002_b.sql base-reformatted warning -
migrations/002_b_rollback.sql base-script-edited warning -"
}

@test "--base tells an edited down section from an edited up section" {
    repository
    git_here checkout -q main
    printf -- '-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n' | migration 003_c
    printf -- '-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n' | migration 004_d
    git_here add -A
    git_here commit -qm sections
    sed -i 's/SELECT 2/SELECT 3/' migrations/003_c.sql
    sed -i 's/SELECT 1/SELECT 3/' migrations/004_d.sql
    run_pgmigrate check --base HEAD --json
    assert_equal "$(findings)" "migrations/003_c.sql base-script-edited warning -
migrations/004_d.sql base-edited error -"
}

@test "--base finds deleted and renamed migrations" {
    repository
    rm migrations/001_a.sql migrations/001_a_rollback.sql
    mv migrations/002_b.sql migrations/003_b.sql
    mv migrations/002_b_rollback.sql migrations/003_b_rollback.sql
    run_pgmigrate check --base main --json
    assert_status 3
    assert_equal "$(findings)" "migrations/001_a.sql base-deleted error -
migrations/003_b.sql base-renamed error -"
    [[ $(finding base-renamed) == '"002_b.sql" was renamed'* ]]
    assert_equal "$(json '.added | length')" 0
}

@test "--base finds a rollback that was taken away" {
    repository
    rm migrations/002_b_rollback.sql
    run_pgmigrate check --base main --rollback-required no --json
    assert_equal "$(findings)" "migrations/002_b_rollback.sql base-deleted error -"
}

@test "--base does not mind a migration that moved to another folder" {
    repository
    mkdir pack
    git_here mv migrations/002_b.sql migrations/002_b_rollback.sql pack/
    run_pgmigrate check --base main -m migrations -m pack
    assert_status 0
    assert_output '2 migrations checked: nothing found'
}

# Branch "work" has 003_c, which main took over in a commit of its own; then main has 004_d.
squash_merged()
{
    repository
    echo 'CREATE TABLE c (b int);' | pair 003_c
    git_here add -A
    git_here commit -qm c
    git_here checkout -q main
    git_here merge -q --squash work
    git_here commit -qm squashed
    echo 'CREATE TABLE d (b int);' | pair 004_d
    git_here add -A
    git_here commit -qm d
    git_here checkout -q work
}

@test "--base finds what became of files that the base gained since the branches parted" {
    squash_merged
    run_pgmigrate check --base main --json
    assert_status 0
    assert_equal "$(findings)" ""
    echo 'CREATE TABLE c (b bigint);' | migration 003_c
    run_pgmigrate check --base main --json
    assert_status 3
    assert_equal "$(findings)" "migrations/003_c.sql base-edited error -"
    [[ $(finding base-edited) == '"main" has another migration of this name'* ]]
    echo 'CREATE TABLE  c (b int); -- explained' | migration 003_c
    run_pgmigrate check --base main --json
    assert_equal "$(findings)" "migrations/003_c.sql base-reformatted warning -"
    git_here checkout -q .
    git_here mv migrations/003_c.sql migrations/005_c.sql
    git_here mv migrations/003_c_rollback.sql migrations/005_c_rollback.sql
    run_pgmigrate check --base main --json
    assert_equal "$(findings | grep -v gap)" "migrations/005_c.sql base-renamed error -"
    rm migrations/005_c*
    run_pgmigrate check --base main --json
    assert_equal "$(findings)" "migrations/003_c.sql base-deleted error -"
}

@test "--base finds two migrations of one name, made independently" {
    repository
    echo 'CREATE TABLE mine ();' | pair 003_c
    git_here add -A
    git_here commit -qm mine
    main_gains 003_c
    run_pgmigrate check --base main --json
    assert_status 3
    assert_equal "$(findings)" "migrations/003_c.sql base-edited error -"
    git_here mv migrations/003_c.sql migrations/004_c.sql
    git_here mv migrations/003_c_rollback.sql migrations/004_c_rollback.sql
    run_pgmigrate check --base main --json
    assert_status 0
    assert_equal "$(findings | grep -v gap)" "migrations/004_c.sql base-added notice -"
}

@test "--base does not hold against a branch what the base itself changed" {
    squash_merged
    git_here checkout -q main
    echo 'CREATE TABLE c (b bigint);' | migration 003_c
    echo 'CREATE TABLE a (b bigint);' | migration 001_a
    git_here commit -qam edit
    cp migrations/001_a.sql "$BATS_TEST_TMPDIR/theirs"
    git_here rm -q migrations/002_b*
    git_here commit -qm delete
    git_here checkout -q work
    run_pgmigrate check --base main --json
    assert_status 0
    assert_equal "$(findings)" ""
    cp "$BATS_TEST_TMPDIR/theirs" migrations/001_a.sql
    rm migrations/002_b*
    run_pgmigrate check --base main
    assert_status 0
    echo 'CREATE TABLE a (b text);' | migration 001_a
    run_pgmigrate check --base main
    assert_status 3
}

@test "--base does not mind the place of a migration that only moved" {
    repository
    mkdir pack
    git_here mv migrations/001_a.sql migrations/001_a.up.sql
    git_here mv migrations/001_a_rollback.sql migrations/001_a.down.sql
    run_pgmigrate check --base main
    assert_status 0
    assert_output '2 migrations checked: nothing found'
    git_here mv migrations/001_a.up.sql migrations/001_a.down.sql pack/
    run_pgmigrate check --base main -m migrations -m pack
    assert_status 0
}

@test "--base works from anywhere and for a folder that the base does not have" {
    repository
    cp -r migrations others
    git_here add -A
    cd "$BATS_TEST_TMPDIR"
    run_pgmigrate check --base main -m project/app/others --json
    assert_status 0
    assert_equal "$(json '.added | join(" ")')" "001_a 002_b"
}

@test "--base compares a folder that was moved with what the base has where it was" {
    repository
    main_gains 004_theirs
    git_here mv migrations ../db
    cd ..
    run_pgmigrate check --base main -m db --json
    assert_status 0
    assert_equal "$(findings)" ""
    echo 'SELECT 1;' >db/003_mine.sql
    printf 'CREATE TABLE a (b int);\nSELECT 2;\n' >db/001_a.sql
    git_here add -A
    rm db/002_b*
    run_pgmigrate check --base main -m db --rollback-required no --json
    assert_status 3
    assert_equal "$(findings | grep -v gap | sort)" "db/001_a.sql base-edited error -
db/002_b.sql base-deleted error -
db/003_mine.sql base-added notice -
db/003_mine.sql base-out-of-order warning -"
}

@test "--base says what is wrong with the reference or the repository" {
    repository
    run_pgmigrate check --base nonsense
    assert_status 2
    assert_stderr 'git knows no commit "nonsense"'
    run_pgmigrate check --base=--output=stolen
    assert_status 2
    assert_stderr '"--output=stolen" is not the name of a commit'
    [ ! -e stolen ]
    git_here checkout -q --orphan alone
    git_here commit -qm alone
    run_pgmigrate check --base main
    assert_status 2
    assert_stderr 'no ancestor in common with "main"'
    mv ../.git ../gone
    GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR run_pgmigrate check --base main
    assert_status 2
    assert_stderr '"migrations" is not in the work tree of a git repository'
}

@test "--base in a hook of a linked work tree compares that work tree" {
    repository
    git_here checkout -q main
    git_here worktree add -q -b linked "$BATS_TEST_TMPDIR/linked"
    printf '#!/bin/sh\ncd app && exec pgmigrate check --base main --json\n' >"$BATS_TEST_TMPDIR/project/.git/hooks/pre-commit"
    chmod +x "$BATS_TEST_TMPDIR/project/.git/hooks/pre-commit"
    cd "$BATS_TEST_TMPDIR/linked/app"
    echo 'CREATE TABLE a (b bigint);' | migration 001_a
    run --separate-stderr git -c user.name=Test -c user.email=test@example.org -c commit.gpgsign=false commit -qam edit
    assert_status 1
    [[ $stderr == *base-edited* ]]
    GIT_DIR=$BATS_TEST_TMPDIR/project/.git/worktrees/linked GIT_WORK_TREE=$BATS_TEST_TMPDIR/linked run_pgmigrate check --base main
    assert_status 3
    GIT_DIR=../.git run_pgmigrate check --base main
    assert_status 3
}

@test "--base shows what git wants done about a repository of somebody else" {
    repository
    GIT_TEST_ASSUME_DIFFERENT_OWNER=1 run_pgmigrate check --base main
    assert_status 2
    assert_stderr 'git does not read the repository of "migrations": detected dubious ownership in repository at'
    assert_stderr 'hint: To add an exception for this directory, call: git config --global --add safe.directory /'
}

@test "--base without git says so" {
    repository
    pgmigrate=$(command -v pgmigrate)
    mkdir "$BATS_TEST_TMPDIR/empty"
    run --separate-stderr env PATH="$BATS_TEST_TMPDIR/empty" "$pgmigrate" check --base main
    assert_status 2
    assert_stderr 'program "git" not found'
    assert_stderr 'leave --base out'
}

@test "a table that stands unprotected between two transactions is told, and not within one" {
    migration 001_off <<<$'SELECT 1;\nALTER TABLE core.orders DISABLE ROW LEVEL SECURITY;'
    migration 002_sound <<<$'DROP POLICY p ON lines;\nCREATE POLICY p ON lines USING (true);\nALTER TABLE lines NO FORCE ROW LEVEL SECURITY;'
    migration 003_on <<<$'ALTER TABLE Orders ADD COLUMN i int, ENABLE ROW LEVEL SECURITY;'
    migration 004_bare <<<$'-- pgmigrate: no-transaction\nDROP POLICY IF EXISTS "P 1" ON "Lines";\nVACUUM;\nCREATE POLICY "P 1" ON public."Lines" USING (true);'
    run_pgmigrate check --json
    assert_equal "$(json '.findings[] | select(.rule == "rls-window") | "\(.file):\(.line) \(.message)"')" \
        "migrations/001_off.sql:2 row-level security of orders is missing until migrations/003_on.sql:1 brings it back
migrations/004_bare.sql:2 policy P 1 on Lines is missing until migrations/004_bare.sql:4 brings it back"
}
