# SPDX-License-Identifier: PostgreSQL
# make install and make uninstall, as a packager uses them.

load helpers

setup()
{
    [ -w "$TEST_BUILD" ] || skip "make cannot write to its folder here"
    cd "$BATS_TEST_DIRNAME/../.."
    target=$BATS_TEST_TMPDIR/root
}

teardown()
{
    :
}

install_with() # MAKE ARGUMENTS
{
    # What make itself was told (-j, BUILD) is none of this one's business.
    env -u MAKEFLAGS -u MFLAGS make -s BUILD="$TEST_BUILD" "$@"
}

@test "make install puts program, manual and completions in place, and make uninstall takes them away" {
    # The program as it is: a test does not build.
    install_with -o all install DESTDIR="$target" PREFIX=/usr
    assert_equal "$(cd "$target" && find . -type f | sort)" "./usr/bin/pgmigrate
./usr/share/bash-completion/completions/pgmigrate
./usr/share/fish/vendor_completions.d/pgmigrate.fish
./usr/share/man/man1/pgmigrate.1
./usr/share/zsh/site-functions/_pgmigrate"
    assert_equal "$(stat -c %a "$target/usr/bin/pgmigrate" "$target/usr/share/man/man1/pgmigrate.1" | xargs)" "755 644"
    run "$target/usr/bin/pgmigrate" --version
    assert_output "pgmigrate 0."
    # bash finds the completion by the command's name, zsh by its first line.
    [ "$(head -n 1 "$target/usr/share/zsh/site-functions/_pgmigrate")" = "#compdef pgmigrate" ]
    install_with uninstall DESTDIR="$target" PREFIX=/usr
    assert_equal "$(find "$target" -type f)" ""
}

@test "make install takes a prefix with blanks" {
    install_with -o all install DESTDIR="$target" PREFIX='/opt/x y'
    [ -x "$target/opt/x y/bin/pgmigrate" ]
    install_with uninstall DESTDIR="$target" PREFIX='/opt/x y'
    assert_equal "$(find "$target" -type f)" ""
}

@test "the manual page is found by man's own rules and has no mistakes" {
    install_with -o all install DESTDIR="$target"
    page=$target/usr/local/share/man/man1/pgmigrate.1
    grep -q '^\.TH "PGMIGRATE" "1"' "$page"
    # scdoc writes long lines, and a .PP before each heading and list.
    assert_equal "$(mandoc -T lint "$page" | grep -v "paragraph macro: PP\|longer than 80")" ""
}
