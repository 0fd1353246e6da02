# SPDX-License-Identifier: PostgreSQL
#
# The page of a rehearsal in a browser.

load helpers

@test "the page of a rehearsal is readable on a desk, a phone, in the dark and on paper, and asks for nothing" {
    command -v chromium-headless-shell >/dev/null || skip "chromium-headless-shell is not installed"
    local line
    "$TEST_BUILD/tests/rehearsal_report_test" --page page.html
    run "$BATS_TEST_DIRNAME/../browser" page.html
    assert_status 0
    assert_equal "${#lines[@]}" 6
    assert_output $'\nprinted: pdf'
    for line in "${lines[@]:0:5}"; do
        [[ $line =~ ^[a-z\ ]+:\ background\ rgb\(([0-9]+),\ .*\),\ contrast\ ([0-9]+)\.([0-9]),\ text\ ([0-9]+)\.[0-9]\ px,\ fits$ ]]
        [ "${BASH_REMATCH[2]}${BASH_REMATCH[3]}" -ge 45 ]
        [ "${BASH_REMATCH[4]}" -ge 12 ]
        case $line in
            dark*) [ "${BASH_REMATCH[1]}" -lt 64 ] ;;
            *) [ "${BASH_REMATCH[1]}" -eq 255 ] ;;
        esac
    done
}

@test "what is wrong with a page in a browser is seen" {
    command -v chromium-headless-shell >/dev/null || skip "chromium-headless-shell is not installed"
    cat >page.html <<'HTML'
<!doctype html><meta name="viewport" content="width=device-width"><title>x</title>
<p style="color: #aaa; width: 400px; background: #fff">pale</p><img src="missing.png"><script>console.log("hello")</script>
HTML
    run "$BATS_TEST_DIRNAME/../browser" page.html
    assert_status 0
    assert_output $'\nphone: background'
    assert_output "contrast 2.3"
    assert_output "px too wide"
    assert_output "error: "
    assert_output "hello"
    assert_output "missing.png"
}
