# SPDX-License-Identifier: PostgreSQL
# What the unit tests show of a server behind a socket in the file system, over TCP and TLS, and with passwords.

load helpers

# One server for the file: an address of its own, so that no port has to be found free.
setup_file()
{
    local data owner address=127.$((BASHPID >> 16 & 127 | 128)).$((BASHPID >> 8 & 255)).$((BASHPID & 255))
    export NETWORK_CLUSTER=$BATS_FILE_TMPDIR/cluster NETWORK_ADDRESS=$address
    export TEST_SERVER_PASSWORD='g/h@e im'
    chmod 755 "$BATS_FILE_TMPDIR"
    pgmigrate cluster start --folder "$NETWORK_CLUSTER" >/dev/null
    local url
    url=$(pgmigrate cluster url --folder "$NETWORK_CLUSTER")
    data=$(psql -XAtq -d "$url" -c "show data_directory")
    owner=$(stat -c %u:%g "$data")
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$data/server.key" \
        -out "$data/server.crt" 2>/dev/null
    chmod 600 "$data/server.key"
    [ "$(id -u)" != 0 ] || chown "$owner" "$data/server.key" "$data/server.crt"
    printf '%s\n' 'local all all trust' 'host all all all scram-sha-256' >"$data/pg_hba.conf"
    psql -XAtq -v ON_ERROR_STOP=1 -v address="$address" -v password="$TEST_SERVER_PASSWORD" -d "$url" <<'SQL'
set password_encryption = 'scram-sha-256';
alter role postgres password :'password';
alter system set listen_addresses = :'address';
alter system set ssl = on;
SQL
    pgmigrate cluster stop --folder "$NETWORK_CLUSTER" >/dev/null
    pgmigrate cluster start --folder "$NETWORK_CLUSTER" >/dev/null
}

teardown_file()
{
    pgmigrate cluster stop --remove --folder "$NETWORK_CLUSTER" >/dev/null
}

run_unit_test() # NAME SSLMODE
{
    run env CMOCKA_MESSAGE_OUTPUT=STDOUT "TEST_SERVER_URL=postgresql://postgres:g%2Fh%40e%20im@$NETWORK_ADDRESS/postgres?sslmode=$2" \
        "$TEST_BUILD/tests/$1"
    assert_status 0
    refute_output '[  SKIPPED ]'
    assert_output PASSED
}

@test "COPY comes out over TCP as it does from a socket in the file system" {
    run_unit_test copy_out_test disable
}

@test "COPY comes out over TLS as it does without" {
    run_unit_test copy_out_test require
}

@test "COPY goes in over TCP as it does into a socket in the file system" {
    run_unit_test copy_in_test disable
}

@test "COPY goes in over TLS as it does without" {
    run_unit_test copy_in_test require
}

@test "other programs and connections get to the same server with the same password" {
    run_unit_test environment_test disable
}

@test "other programs and connections get to the same server over TLS" {
    run_unit_test environment_test require
}
