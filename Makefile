# pgmigrate. `make demo` shows it, `make test` tests it, `make help` lists the rest.
#
# The build reads its file lists from the folders, so a new file needs no line here. Everything made goes to
# $(BUILD); a second build with other flags is `make BUILD=build/other CFLAGS=…`.

BUILD   := build
PREFIX  := /usr/local
CC      := gcc
CFLAGS  := -O2 -g
LDFLAGS :=
SECONDS := 10

FOLDERS := common migrator rollback deploy backup cli
VERSION := 0.1.0

# ---- what to compile, and how ----

SOURCES := $(wildcard $(addsuffix /*.c,$(FOLDERS)))
SQL     := $(sort $(wildcard sql/*.sql sql/*/*.sql sql/*/*/*.sql))
EMBEDDED = shop later archive report
shop_files    := $(sort $(wildcard docs/examples/shop/*.sql))
later_files := $(sort $(wildcard docs/examples/later/*))
archive_files := $(sort $(wildcard backup/archive_files/*))
report_files := $(sort $(wildcard cli/report_files/*))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/sql.o $(EMBEDDED:%=$(BUILD)/%_files.o)
LIBRARY := $(BUILD)/libpgmigrate.a
PROGRAM := $(BUILD)/pgmigrate

# The client side of PostgreSQL's source (psql's lexer) is in the package for building server extensions, which
# would install clang and llvm; it is unpacked here instead. Elsewhere: make SERVER_DEV=folder with include/ and lib/.
SERVER_DEV := build/deps/server-dev

WARNINGS := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla -Wwrite-strings -Wformat=2 \
            -Wundef -Wpointer-arith -Wcast-qual $(WERROR)
CPPFLAGS := -I. -I$(BUILD) $(addprefix -isystem ,$(shell pg_config --includedir 2>/dev/null)) -D_GNU_SOURCE \
            -DPGMIGRATE_VERSION='"$(VERSION)"' -include common/ban.h
COMPILE   = $(CC) -std=gnu11 $(CFLAGS) -ffunction-sections -fdata-sections $(WARNINGS) $(CPPFLAGS)
LINK      = $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--gc-sections
# libpg_query has a palloc of its own, as libpgcommon has: ours must not take its place, so it is not exported.
# libarchive is linked in: its shared library brings libxml2, ICU and libstdc++, which a tar never needs and which
# cost a third of the time that a start takes.
LIBRARIES := -Wl,--as-needed -Wl,--exclude-libs,libpgcommon.a:libpgport.a -L$(SERVER_DEV)/lib -lpgfeutils -lpgcommon \
             -lpgport -lpg_query -lpq -lcrypto -Wl,-Bstatic -larchive -Wl,-Bdynamic -lnettle -lzstd -lxxhash -lsqlite3 \
             -linih -ljansson -lpthread -lm

# V=1 shows the commands.
Q   := $(if $(V),,@)
say  = @printf '  %-6s%s\n' $(1) $(2)

.PHONY: all
all: $(if $(wildcard cli/main.c),$(PROGRAM),$(LIBRARY))

$(PROGRAM): $(BUILD)/cli/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBRARIES)

$(LIBRARY): $(filter-out $(BUILD)/cli/main.o,$(OBJECTS))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)

# Flags are written down so that changing them, or taking a file away, rebuilds what depends on it.
$(BUILD)/%.o: %.c $(BUILD)/flags | $(BUILD)/sql.h $(SERVER_DEV)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/migrator/split.o: CPPFLAGS += -isystem $(SERVER_DEV)/include -isystem $(shell pg_config --includedir)/internal

$(BUILD)/sql.o: $(BUILD)/sql.c $(BUILD)/flags
	$(Q)$(COMPILE) -c -o $@ $<

$(BUILD)/%_files.o: $(BUILD)/%_files.c $(BUILD)/flags
	$(Q)$(COMPILE) -c -o $@ $<

$(BUILD)/shop_files.c: $(shop_files)
$(BUILD)/later_files.c: $(later_files)
$(BUILD)/archive_files.c: $(archive_files)
$(BUILD)/report_files.c: $(report_files)
$(BUILD)/%_files.c: build-aux/embed_files.awk $(BUILD)/files
	$(call say,EMBED,$@)
	$(Q)awk -v array=$*_files -f $< $($*_files) </dev/null >$@

$(BUILD)/sql.c: sql/embed.awk $(SQL) $(BUILD)/files
	$(call say,SQL,$@)
	$(Q)awk -f sql/embed.awk $(SQL) </dev/null >$@
	$(Q)awk -v header=1 -f sql/embed.awk $(SQL) </dev/null >$(BUILD)/sql.h.new
	$(Q)cmp -s $(BUILD)/sql.h.new $(BUILD)/sql.h || cp $(BUILD)/sql.h.new $(BUILD)/sql.h
$(BUILD)/sql.h: $(BUILD)/sql.c ;

remember = mkdir -p $(@D) && printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' >$@
$(BUILD)/flags: always
	@$(call remember,$(COMPILE) $(LINK))
$(BUILD)/files: always
	@$(call remember,$(SOURCES) $(SQL) $(shop_files) $(later_files) $(archive_files) $(report_files))
$(LIBRARY): $(BUILD)/files
.PHONY: always

build/deps/server-dev:
	@build-aux/deps server-dev

-include $(patsubst %.c,$(BUILD)/points/%.d,$(SOURCES)) $(patsubst %.c,$(BUILD)/%.d,$(SOURCES) $(wildcard tests/unit/*.c tests/fuzz/*.c bench/*.c))

# ---- packages ----

# Installing needs root or sudo; where everything is there already, neither.
.PHONY: deps demo
deps:
	@build-aux/deps all
demo:
	@build-aux/deps run
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(PROGRAM) demo

# ---- tests ----

# A unit test is linked against what is there of the program, so it needs only the modules it really uses.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
CLI_TESTS  := $(wildcard tests/cli/*.bats)
.PHONY: unit-tests
unit-tests: $(UNIT_TESTS)

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ -lcmocka $(LIBRARIES)
.SECONDARY: $(UNIT_TESTS:$(BUILD)/tests/%=$(BUILD)/tests/unit/%.o)

# The program with the places at which tests kill it (common/test_point.h); only the sources that have some
# are compiled again.
POINTS := $(shell grep -l '"common/test_point.h"' $(SOURCES))
.PHONY: test-points
test-points: $(BUILD)/points/pgmigrate
$(BUILD)/points/pgmigrate: $(BUILD)/cli/main.o $(POINTS:%.c=$(BUILD)/points/%.o) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(LINK) -o $@ $^ $(LIBRARIES)
$(BUILD)/points/%.o: %.c $(BUILD)/flags | $(BUILD)/sql.h $(SERVER_DEV)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(COMPILE) -DPGMIGRATE_TEST_POINTS -MMD -MP -c -o $@ $<

# ASan, UBSan and LSan say nothing where they find nothing, and fail the test where they do.
export ASAN_OPTIONS  := detect_leaks=1:abort_on_error=0:exitcode=99
export UBSAN_OPTIONS := print_stacktrace=1:halt_on_error=1
export LSAN_OPTIONS  := print_suppressions=0
export BUILD

.PHONY: test check
test:
	@build-aux/deps test
	@$(MAKE) --no-print-directory run-tests

# Tests without a look at the packages; `make run-tests CLI_TESTS=tests/cli/apply.bats UNIT_TESTS=` runs one file.
.PHONY: run-tests
run-tests: all unit-tests test-points
	@tests/run $(UNIT_TESTS) $(CLI_TESTS)

# ---- speed ----

# As any user, from a copy he can read: root's run of the suite shows nothing about permissions.
.PHONY: run-tests-unprivileged
run-tests-unprivileged: all unit-tests test-points
	@tests/unprivileged $(UNIT_TESTS) $(CLI_TESTS)

# With every check the compiler can build in. One build by clang serves the suite, the fuzzers, and clang's warnings.
# TEST_SANITIZED tells tests that measure.
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
sanitized = TEST_SANITIZED=1 $(MAKE) --no-print-directory BUILD=build/sanitize CC=clang CFLAGS='$(SANITIZE)'
.PHONY: sanitize sanitize-build sanitize-unprivileged
sanitize:
	+@$(sanitized) run-tests
sanitize-build:
	+@$(sanitized) all unit-tests bench-programs
# Those that reach most of the code; `make sanitize-unprivileged SANITIZED_TESTS='$(wildcard tests/cli/*.bats)'` runs all of
# them, which takes several times as long as .ci/run may give to it on a slow machine.
SANITIZED_TESTS = $(patsubst %,tests/cli/%.bats,adopt apply apply_backup backup_manage backup_rights check drift rls_gate rls_probe)
# As a normal user; what root alone does differently, the cluster, also as root.
ROOTS_TESTS := build/sanitize/tests/cluster_test tests/cli/cluster.bats
sanitize-unprivileged:
	+@$(sanitized) run-tests-unprivileged CLI_TESTS='$(SANITIZED_TESTS)'
	+@[ "$$(id -u)" != 0 ] || $(sanitized) run-tests UNIT_TESTS='$(filter build/%,$(ROOTS_TESTS))' \
	    CLI_TESTS='$(filter tests/%,$(ROOTS_TESTS))'

# What runs in several threads, under the thread sanitizer. The commands take long that way:
# `make tsan TSAN_TESTS=tests/cli/restore.bats`.
TSAN_TESTS = $(patsubst %,build/tsan/tests/%_test,process_stream copy_out copy_in tasks archive trace folder)
.PHONY: tsan
tsan:
	@TEST_SANITIZED=1 TSAN_OPTIONS='exitcode=99 $(TSAN_OPTIONS)' $(MAKE) --no-print-directory BUILD=build/tsan \
	    CFLAGS='-O1 -g -fsanitize=thread' run-tests UNIT_TESTS='$(filter build/tsan/%,$(TSAN_TESTS))' CLI_TESTS='$(filter %.bats,$(TSAN_TESTS))'

# The command-line tests on servers that this system does not have: `make test-servers SERVERS=17`.
SERVERS  = $(shell sed -n 's/^\([0-9][0-9]*\) .*/\1/p' tests/servers/versions)
.PHONY: test-servers
test-servers:
	@build-aux/deps test
	@$(MAKE) --no-print-directory all unit-tests test-points
	@tests/servers/run "$(SERVERS)" $(CLI_TESTS)

# Each fuzzer for SECONDS; what it finds stays in build/fuzz/found/, what it learns in build/fuzz/corpus/.
FUZZERS := $(wildcard tests/fuzz/*.c)
.PHONY: fuzz run-fuzzers
fuzz:
	@build-aux/deps check
	@$(MAKE) --no-print-directory run-fuzzers
run-fuzzers:
	+@$(sanitized) $(FUZZERS:tests/fuzz/%.c=build/sanitize/tests/fuzz/%)
	@tests/fuzz/run $(SECONDS) $(FUZZERS:tests/fuzz/%.c=build/sanitize/tests/fuzz/%)
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBRARIES)
.SECONDARY: $(FUZZERS:%.c=$(BUILD)/%.o)

# What the unit tests reach of the modules that neither talk to a server (nor hold SQL for one) nor run programs nor
# print for people.
IMPURE := sql|common/(postgres|copy|process|cluster|place|postmaster|programs)|migrator/(session|run|execut.*|groups|git)
PURE    = $(foreach f,$(filter common/% migrator/% rollback/% $(patsubst %,cli/%.c,command parse report secret worktree),\
                        $(SOURCES)),$(shell grep -qsE '^.include "($(IMPURE))\.h"' $f $(f:.c=.h) || echo $f))
.PHONY: coverage
coverage:
	@$(MAKE) --no-print-directory BUILD=build/coverage CFLAGS='-O0 -g --coverage -fprofile-update=atomic' all unit-tests
	@find build/coverage -name '*.gcda' -exec rm {} +
	@BUILD=build/coverage tests/run $(patsubst build/%,build/coverage/%,$(filter-out %/cluster_test,$(UNIT_TESTS)))
	@gcovr --root . $(PURE:%=--filter='%$$') --fail-under-line 90 build/coverage

# Beside other tools: `make bench` takes some ten minutes, `make bench BENCH=quick` less than one.
BENCH_PROGRAMS := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))

.PHONY: bench bench-programs
bench:
	@build-aux/deps run
	@$(MAKE) --no-print-directory all bench-programs
	@BUILD=$(BUILD) bench/run $(BENCH)
# What row-level security costs, in a schema of a thousand tables.
.PHONY: bench-rls
bench-rls: all
	@BUILD=$(BUILD) bench/rls.sh
# What measuring costs in a rehearsal.
.PHONY: bench-rehearse
bench-rehearse: all
	@BUILD=$(BUILD) bench/rehearse.sh
bench-programs: $(BENCH_PROGRAMS)
$(BENCH_PROGRAMS): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBRARIES)

# ---- static checks ----

HEADERS := $(wildcard $(addsuffix /*.h,$(FOLDERS)))
FORMATTED := $(wildcard $(foreach f,$(FOLDERS) tests/unit tests/fuzz bench,$f/*.c $f/*.h))
SCRIPTS := .ci/run bench/rls.sh bench/rehearse.sh build-aux/deps backup/archive_files/restore.sh tests/run tests/docs_test tests/unprivileged $(wildcard tests/*.sh tests/fuzz/run tests/servers/fetch tests/servers/run) \
           $(wildcard tests/cli/*.bash)

.PHONY: lint check format-check header-check docs-check
lint: format-check header-check docs-check
	@tests/check_includes.sh
	@tests/check_sizes.sh $(SOURCES) $(HEADERS) $(wildcard tests/unit/*.c tests/fuzz/*.c)
	@tests/check_sessions.sh $(wildcard tests/cli/*.bats tests/cli/*.bash)
	@shellcheck $(SCRIPTS)

# Everything .ci/run does after `make test`.
check:
	@.ci/run --after-test

format-check:
	$(Q)clang-format --dry-run -Werror $(FORMATTED)

# Each header compiles on its own.
header-check: $(HEADERS:%=$(BUILD)/%.alone)
$(BUILD)/%.h.alone: %.h $(BUILD)/flags
	$(Q)mkdir -p $(@D) && $(COMPILE) -Werror -fsyntax-only -x c $< && touch $@

# ---- documents printed by the program ----

DOCUMENTS := docs/pgmigrate.1.scd docs/pgmigrate.conf docs/completion/pgmigrate.bash docs/completion/pgmigrate.zsh \
             docs/completion/pgmigrate.fish
document = $(PROGRAM) help $(or $(if $(filter %.scd,$1),--man),$(if $(filter %.conf,$1),--configuration),\
                                --completion=$(subst .,,$(suffix $1))) --color=never

.PHONY: docs
docs: all
	$(Q)mkdir -p docs/completion
	$(Q)$(foreach d,$(DOCUMENTS),$(call document,$d) >$d &&) true

docs-check: all
	$(Q)$(foreach d,$(DOCUMENTS),$(call document,$d) | diff -u $d - &&) true || \
	    { echo 'the documents are not what the program prints: run "make docs"' >&2; false; }
	$(Q)scdoc <docs/pgmigrate.1.scd >$(BUILD)/pgmigrate.1

# ---- installing ----

BINARY     = $(DESTDIR)$(PREFIX)/bin/pgmigrate
MANUAL     = $(DESTDIR)$(PREFIX)/share/man/man1/pgmigrate.1
COMPLETION = $(DESTDIR)$(PREFIX)/share
BASH_COMPLETION = $(COMPLETION)/bash-completion/completions/pgmigrate
ZSH_COMPLETION  = $(COMPLETION)/zsh/site-functions/_pgmigrate
FISH_COMPLETION = $(COMPLETION)/fish/vendor_completions.d/pgmigrate.fish

$(BUILD)/pgmigrate.1: docs/pgmigrate.1.scd
	@command -v scdoc >/dev/null || { echo 'the manual page is made by scdoc: run "make deps"' >&2; false; }
	$(Q)scdoc <$< >$@.new && mv $@.new $@

.PHONY: install uninstall
install: all $(BUILD)/pgmigrate.1
	$(Q)install -D -m 755 $(PROGRAM) '$(BINARY)'
	$(Q)install -D -m 644 $(BUILD)/pgmigrate.1 '$(MANUAL)'
	$(Q)install -D -m 644 docs/completion/pgmigrate.bash '$(BASH_COMPLETION)'
	$(Q)install -D -m 644 docs/completion/pgmigrate.zsh '$(ZSH_COMPLETION)'
	$(Q)install -D -m 644 docs/completion/pgmigrate.fish '$(FISH_COMPLETION)'
uninstall:
	$(Q)rm -f '$(BINARY)' '$(MANUAL)' '$(BASH_COMPLETION)' '$(ZSH_COMPLETION)' '$(FISH_COMPLETION)'

# ---- odds and ends ----

.PHONY: format clean help
help:
	@echo 'make demo            install what running needs, build, and show what pgmigrate does'
	@echo 'make test            install what testing needs, build, and run all tests'
	@echo 'make [all]           build build/pgmigrate'
	@echo 'make deps            install everything on Debian or Ubuntu, as root or through sudo'
	@echo 'make install         into DESTDIR and PREFIX ($(PREFIX)); make uninstall'
	@echo 'make test-servers    the command-line tests on other PostgreSQL versions; SERVERS="14 17"'
	@echo 'make bench           times beside other tools; BENCH=quick'
	@echo 'make lint            format, headers, includes, sizes, documents, scripts'
	@echo 'make check           lint, both compilers, fuzzers, coverage, sanitizers'
	@echo 'make sanitize, tsan, fuzz, coverage    one of these alone; SECONDS=60 for each fuzzer'
	@echo 'make format, docs    bring sources and printed documents into shape'
	@echo 'make clean           remove what was built'
format:
	$(Q)clang-format -i $(FORMATTED)

# What was downloaded stays, so that a clean build needs no network; `rm -r build` forgets that too.
clean:
	$(Q)find $(BUILD) -mindepth 1 -maxdepth 1 ! -name deps ! -name servers -exec rm -rf {} + 2>/dev/null || true
