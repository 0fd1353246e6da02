# SPDX-License-Identifier: PostgreSQL
# Row-level security: what the command prints and writes, and what it lets pass.

load helpers

# The server's minor version must not decide what a test finds.
findings() # FILTER of jq, applied to each
{
    jq -r ".findings[] | select(.check != \"S27\") | $1" <<<"$output"
}

# Two open tables, one of them with policies asleep, and one that is sound.
open_tables()
{
    psql_value "revoke create on schema public from public;
                create table orders (id int generated always as identity primary key, tenant_id int not null);
                create table \"Odd & <names>\" (id int generated always as identity primary key, tenant_id int not null);
                create table sound (id int generated always as identity primary key, tenant_id int not null);
                alter table sound enable row level security;
                create policy tenant on sound using (tenant_id = nullif(current_setting('app.tenant', true), '')::int)"
}

@test "a finding is one line, with the remedy to paste and the evidence under it" {
    open_tables
    run_pgmigrate rls
    assert_status 3
    assert_equal "$(grep -A 2 '^public.orders: ' <<<"$output" | sed 's/ROW LEVEL SECURITY;.*/ROW LEVEL SECURITY;/')" \
        "public.orders: high: row-level security is off, and the table holds rows of tenants [S1]
    ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
    evidence: tenant column tenant_id"
    assert_equal "$(grep -c '^public.*: high: .*\[S1\]$' <<<"$output")" 2
    assert_equal "$stderr" 'pgmigrate: warning: no role of the application was found, so what it may do was not looked at: name it as "roles" in [rls]'
}

@test "a table says what every check came to, and the last line how much was looked at" {
    open_tables
    run_pgmigrate rls --static-only
    assert_status 3
    grep -q '^S1  *tables of tenants have row-level security  *2 found$' <<<"$output"
    grep -q '^S2  *policies are in force  *passed$' <<<"$output"
    grep -q '^S6  .*  left out$' <<<"$output"
    [[ ${lines[-1]} == "3 tables of tenants, 0 roles of the application: 2 high"* ]]
    [[ $output != *$'\033'* ]]
}

@test "the most severe comes first, and what is about one object stands together" {
    psql_value "create table a_mild (id int generated always as identity primary key, tenant_id int);
                alter table a_mild enable row level security;
                create policy p on a_mild using (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
                create table z_open (id int generated always as identity primary key, tenant_id int)"
    run_pgmigrate rls --quiet
    assert_status 3
    objects=$(sed -n 's/^\([^ ].*\): \(high\|medium\|low\|info\): .*/\1/p' <<<"$output")
    assert_equal "$(uniq <<<"$objects" | sort | uniq -d)" ""
    severities=$(sed -n 's/^public\.[a-z_]*: \(high\|medium\|low\|info\): .*/\1/p' <<<"$output" | head -n 1)
    assert_equal "$severities" high
    [[ $(head -n 1 <<<"$objects") == public.z_open ]]
    [[ $output != *"what is looked at"* && $output != *"tables of tenants,"* ]]
}

@test "colours are for a terminal, or for who asks" {
    open_tables
    run_pgmigrate rls --color=always
    [[ $output == *$'\033[31mhigh:\033[0m'* ]]
}

@test "the document counts what was looked at, and says what each check came to" {
    open_tables
    run_pgmigrate rls --json
    assert_status 3
    assert_equal "$(findings '"\(.check) \(.severity) \(.object)"')" 'S1 high public."Odd & <names>"
S1 high public.orders'
    assert_equal "$(jq -c .checked <<<"$output")" '{"tables":3,"roles":0,"probes":0}'
    assert_equal "$(jq -c '.checks[0]' <<<"$output")" \
        '{"check":"S1","title":"tables of tenants have row-level security","result":"found","found":2,"inconclusive":0,"accepted":0}'
    assert_equal "$(jq -c '[.accepted, .inconclusive]' <<<"$output")" "[[],[]]"
}

@test "what cannot be decided is neither found nor passed" {
    role=blind_$RANDOM$RANDOM
    psql_value "create role $role login; create role ${role}_app login"
    open_tables
    psql_value "grant select on all tables in schema public to ${role}_app"
    DATABASE_URL=$(database_url "$TEST_DATABASE" "$role")
    run_pgmigrate rls --role "${role}_app"
    [[ $output == *"role ${role}_app: inconclusive: cannot become the role: "*"[S6]"* ]]
    grep -q '^S6  .*  1 inconclusive$' <<<"$output"
    run_pgmigrate rls --role "${role}_app" --json
    assert_equal "$(jq -r '.inconclusive[] | select(.check == "S6") | .object' <<<"$output")" "role ${role}_app"
    assert_equal "$(jq -r '.checks[] | select(.check == "S6") | .result' <<<"$output")" inconclusive
    drop_test_database
    psql_server "drop role $role, ${role}_app"
}

@test "SARIF for code hosts has a rule for every check and a result for every finding" {
    open_tables
    run_pgmigrate rls --static-only --sarif found.sarif
    assert_status 3
    assert_equal "$(jq -c '[."$schema", .version, (.runs | length), .runs[0].tool.driver.name]' found.sarif)" \
        '["https://json.schemastore.org/sarif-2.1.0.json","2.1.0",1,"pgmigrate"]'
    assert_equal "$(jq -c '.runs[0].tool.driver.rules[0]' found.sarif)" \
        '{"id":"S1","shortDescription":{"text":"tables of tenants have row-level security"},"defaultConfiguration":{"level":"error"}}'
    assert_equal "$(jq -r '.runs[0].results[] | select(.ruleId == "S1")
        | "\(.kind) \(.level) \(.locations[0].logicalLocations[0].fullyQualifiedName) \(.locations[0].physicalLocation.artifactLocation.uri)"' found.sarif)" \
        'fail error public."Odd & <names>" pgmigrate.conf
fail error public.orders pgmigrate.conf'
    # Every result is of a rule that is there, says something, and is told from all others.
    assert_equal "$(jq '.runs[0] | (.tool.driver.rules | map(.id)) as $ids | .results | all(
        (.ruleId | IN($ids[])) and (.message.text | length > 0) and (.level | IN("error", "warning", "note", "none")))' found.sarif)" true
    assert_equal "$(jq '.runs[0].results | map(.partialFingerprints.primaryLocationLineHash)
        | (unique | length) == length and all(test("^[0-9a-f]{64}:[0-9]+$"))' found.sarif)" true
}

@test "a finding has the same fingerprint in the next run" {
    open_tables
    run_pgmigrate rls --sarif one.sarif
    psql_value "create table another (id int generated always as identity primary key, tenant_id int not null)"
    run_pgmigrate rls --sarif two.sarif
    fingerprint='.runs[0].results[] | select(.ruleId == "S1" and (.message.text | startswith("public.orders:"))) | .partialFingerprints[]'
    assert_equal "$(jq -r "$fingerprint" two.sarif)" "$(jq -r "$fingerprint" one.sarif)"
    [ -n "$(jq -r "$fingerprint" one.sarif)" ]
}

@test "JUnit XML has a test case for every check, failed, skipped or passed" {
    open_tables
    run_pgmigrate rls --static-only --junit found.xml
    assert_status 3
    xmllint --noout found.xml
    xpath() { xmllint --xpath "$1" found.xml; }
    cases=$(xpath 'count(/testsuites/testsuite/testcase)')
    assert_equal "$(xpath 'string(/testsuites/testsuite/@tests)')" "$cases"
    [ "$cases" -ge 28 ]
    assert_equal "$(xpath 'string(//testsuite/@failures)')" "$(xpath 'count(//testcase[failure])')"
    assert_equal "$(xpath 'string(//testsuite/@skipped)')" "$(xpath 'count(//testcase[skipped])')"
    [[ $(xpath 'string(//testcase[starts-with(@name, "S1:")]/failure)') == *'public."Odd & <names>": high: '* ]]
    assert_equal "$(xpath 'count(//testcase[starts-with(@name, "S2:")]/*)')" 0
    assert_equal "$(xpath 'string(//testcase[starts-with(@name, "S6:")]/skipped/@message)')" "left out"
}

@test "in JUnit XML a finding below --fail-on fails nothing" {
    open_tables
    psql_value "alter table orders enable row level security; alter table \"Odd & <names>\" enable row level security"
    run_pgmigrate rls --fail-on high --junit found.xml
    assert_status 0
    assert_equal "$(xmllint --xpath 'string(//testsuite/@failures)' found.xml)" 0
    [[ $(xmllint --xpath 'string(//testcase[starts-with(@name, "S3:")]/system-out)' found.xml) == *'public.orders: medium: '* ]]
}

@test "a file that cannot be written fails the command" {
    run_pgmigrate rls --junit nowhere/found.xml
    assert_status 1
    assert_stderr "nowhere/found.xml"
}

@test "the baseline accepts what it names until its day, and rls passes" {
    open_tables
    printf '%s\n' '# accepted' 'S1 public.orders until 2999-12-31: it goes next week' \
        'S1 public."Odd & <names>" until 2999-12-31: nobody may connect' >accepted
    run_pgmigrate rls --fail-on high --baseline accepted
    assert_status 0
    grep -q '^S1  .*  2 accepted$' <<<"$output"
    refute_output "public.orders: "
    assert_equal "$stderr" 'pgmigrate: warning: no role of the application was found, so what it may do was not looked at: name it as "roles" in [rls]'
    run_pgmigrate rls --fail-on high --baseline accepted --verbose
    assert_output "    accepted: it goes next week"
    run_pgmigrate rls --fail-on high --baseline accepted --json --sarif found.sarif
    assert_equal "$(jq -r '.accepted[] | "\(.object) \(.reason)"' <<<"$output")" 'public."Odd & <names>" nobody may connect
public.orders it goes next week'
    assert_equal "$(jq -r '.runs[0].results[] | select(.suppressions) | .suppressions[0].justification' found.sarif | tail -n 1)" \
        "it goes next week"
}

@test "a line of the baseline whose day is over accepts nothing, and one that matches nothing is told" {
    open_tables
    printf '%s\n' 'S1 public.orders until 2020-12-31: long ago' 'S2 public.gone until 2999-12-31: gone' \
        'D1 public.orders until 2999-12-31: probes are not made here' 'S6 public.orders until 2999-12-31: left out' >accepted
    printf '%s\n' '[rls]' 'baseline = accepted' >pgmigrate.conf
    run_pgmigrate rls --fail-on high --static-only
    assert_status 3
    assert_output "public.orders: high: "
    assert_stderr "accepted:1: warning: S1 public.orders was accepted until 2020-12-31 [acceptance-over]"
    assert_stderr "accepted:2: notice: nothing is found any more of S2 public.gone [acceptance-unused]"
    [[ $stderr != *accepted:3* && $stderr != *accepted:4* ]]
    run_pgmigrate rls --fail-on high --static-only --json
    assert_equal "$(jq -r '.baseline[].rule' <<<"$output")" "acceptance-over
acceptance-unused"
}

@test "a line of the baseline that is wrong is told with its place" {
    printf '%s\n' '# accepted' 'S1 public.orders until tomorrow: soon' >accepted
    run_pgmigrate rls --baseline accepted
    assert_status 2
    assert_stderr 'accepted:2:24: error: the baseline wants a day such as 2027-01-31 after "until"'
    run_pgmigrate rls --baseline nowhere
    assert_status 2
    assert_stderr nowhere
}

@test "a baseline that is written accepts everything, and keeps the reasons it has" {
    open_tables
    run_pgmigrate rls --fail-on info --write-baseline accepted
    assert_status 0
    grep -q '^S1 public.orders until [0-9-]*: found on ' accepted
    sed -i 's/^\(S1 public.orders until\).*/\1 2999-12-31: it goes next week/; /Odd/d' accepted
    run_pgmigrate rls --fail-on info --baseline accepted
    assert_status 3
    run_pgmigrate rls --write-baseline accepted
    grep -q '^S1 public.orders until 2999-12-31: it goes next week$' accepted
    grep -q '^S1 public."Odd & <names>" until ' accepted
    run_pgmigrate rls --fail-on info --baseline accepted
    assert_status 0
}

@test "a column, role, schema or parent that the settings name and the database lacks is an error" {
    open_tables
    psql_value "create table lines (id int generated always as identity primary key, orders int references orders)"
    run_pgmigrate rls --tenant-column 'tenant_id,org%_*'
    assert_status 2
    assert_stderr 'error: column "org%_*" is not in the database'
    run_pgmigrate rls --role nobody_of_this_name
    assert_status 2
    assert_stderr 'error: role "nobody_of_this_name" is not in the database'
    run_pgmigrate rls --schemas 'public, no_such'
    assert_status 2
    assert_stderr 'error: schema "no_such" is not in the database'
    run_pgmigrate rls --through lines=order_s
    assert_status 2
    assert_stderr 'error: table "order_s" is not in the database'
    assert_stderr 'detail: "through.lines" of [rls] names it.'
    # What is not there needs no protection.
    run_pgmigrate rls --exempt no_table --through no_table=orders --fail-on high
    assert_status 3
}

@test "without settings, a database without tenants is told, not passed in silence" {
    run_pgmigrate rls
    assert_stderr 'warning: no table has a column "tenant_id"'
    assert_output "0 tables of tenants"
}

@test "a table that reaches its tenant through its parent is one of tenants, from the command line as from the file" {
    open_tables
    psql_value "create table lines (id int generated always as identity primary key, orders int not null references orders)"
    run_pgmigrate rls --json
    assert_equal "$(findings 'select(.object == "public.lines" and .check == "S1") | .check')" ""
    run_pgmigrate rls --json --through lines=orders
    assert_equal "$(findings 'select(.object == "public.lines" and .check == "S1") | .check')" S1
    printf '%s\n' '[rls]' 'through.public.lines = public.orders' >pgmigrate.conf
    run_pgmigrate rls --json
    assert_equal "$(findings 'select(.object == "public.lines" and .check == "S1") | .check')" S1
    run_pgmigrate rls --through lines
    assert_status 2
    assert_stderr '"--through" wants NAME=VALUE, not "lines"'
}

@test "--suggest writes a section that can be used as it is" {
    role=app_$RANDOM$RANDOM
    psql_value "create role $role login;
                create schema core;
                create table core.tenants (id int primary key, name text);
                create table core.colours (id int primary key);
                create table core.teams (id int primary key);
                create table core.orders (id int primary key, org_id int not null references core.tenants,
                                          colour int references core.colours);
                create table core.bills (id int primary key, org_id int not null references core.tenants);
                create table core.lines (id int primary key, orders int not null references core.orders);
                create table core.notes (id int primary key, line int not null references core.lines,
                                         answers int references core.notes);
                create table core.maybe (id int primary key, line int references core.lines);
                create table core.unrelated (id int primary key);
                create table core.users (id int primary key, account_id int, team int not null references core.teams);
                alter table core.users enable row level security;
                create policy p on core.users using (account_id = nullif(current_setting('app.account', true), '')::int);
                alter table core.orders enable row level security;
                create policy p on core.orders using (org_id = nullif(current_setting('app.org', true), '')::int);
                grant usage on schema core to $role;
                grant select on core.orders to $role"
    run_pgmigrate rls --suggest
    assert_status 0
    assert_equal "$output" "[rls]
schemas = core
tenant_column = org_id, account_id
tenant_setting = app.account, app.org
roles = $role
exempt = core.colours, core.teams, core.tenants
through.core.lines = core.orders
through.core.notes = core.lines"
    printf '%s\n' "$output" >pgmigrate.conf
    run_pgmigrate rls --json
    assert_status 3
    assert_equal "$(jq -c .checked <<<"$output")" '{"tables":5,"roles":1,"probes":0}'
    drop_test_database
    psql_server "drop role $role"
}

@test "--suggest finds claims in JSON and settings inside of functions" {
    psql_value "create table orders (id int, tenant_id int not null);
                alter table orders enable row level security;
                create function tenant() returns int language sql stable as \$\$
                    select nullif(current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'tenant_id', '')::int \$\$;
                create policy a on orders using (tenant_id = tenant());
                create policy b on orders using (tenant_id = ((current_setting('request.claim', true))::json ->> 'org')::int
                                                 and current_setting('request.claim', true)::json ->> 'role' = 'user');
                create function region() returns text language sql stable as \$\$ select current_setting('app.region') \$\$;
                create policy c on orders for select using (tenant_id::text = region())"
    run_pgmigrate rls --suggest
    assert_status 0
    assert_equal "$output" '[rls]
schemas = public
tenant_column = tenant_id
tenant_set.request.claim = {"org": "{tenant}"}
tenant_set.request.jwt.claims = {"app_metadata": {"tenant_id": "{tenant}"}}
tenant_setting = app.region'
    printf '%s\n' "$output" >pgmigrate.conf
    run_pgmigrate rls --static-only --json
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
}

@test "one document may go to standard output" {
    run_pgmigrate rls --static-only --sarif -
    assert_equal "$(jq -r .version <<<"$output")" 2.1.0
    run_pgmigrate rls --static-only --junit -
    [[ $output == "<?xml"* ]]
    run_pgmigrate rls --static-only --json --sarif -
    assert_status 2
    run_pgmigrate rls --static-only --junit - --sarif -
    assert_status 2
    assert_stderr 'only one of "--json", "--sarif -" and "--junit -" can be on standard output'
    [ ! -e ./- ]
}

@test "--suggest says when no column tells tenants apart" {
    psql_value "create table things (id int primary key)"
    run_pgmigrate rls --suggest
    assert_status 0
    assert_equal "$output" "[rls]"
    assert_stderr "no column says whose a row is"
}

@test "--suggest takes the column that is called after tenants, and exempts no table that has a likely one" {
    psql_value "create table t (id int primary key, tenant_id int not null); create table orgs (id int primary key, org_id int not null);
                create table k (t int not null references t, o int not null references orgs)"
    run_pgmigrate rls --suggest
    assert_status 0
    assert_equal "$output" '[rls]
schemas = public
tenant_column = tenant_id
through.public.k = public.t'
}
