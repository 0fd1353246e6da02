/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/check.h"
#include "migrator/folder_scan.h"
#include "migrator/parse.h"
#include "migrator/rls_window.h"
#include "migrator/rule.h"
#include "migrator/script.h"
#include "migrator/split.h"
#include "migrator/statement.h"
#include "migrator/variable.h"

/* The script in hand. */
struct check {
    const struct migration *migration;
    const struct source *source;
    enum file_role role;
    bool no_transaction, variables;
    bool misread; /* its directives could not be read, so how it runs is not known */
    struct split split;
    struct findings *findings;
};

static void check_clear(struct check *check)
{
    split_clear(&check->split);
}
CLEANUP_VALUE(struct check, check_clear)

static struct finding *add(struct check *check, const char *rule, const char *message)
{
    const struct rule *known = rule_named(rule);
    return finding_add(check->findings, rule, known->severity, check->source->path, "%s", message);
}

static void check_directives(struct check *check)
{
    size_t offset = 0;
    struct text_position place;
    while (directives_too_late(check->source, &offset, &place)) {
        struct finding *finding =
            add(check, RULE_DIRECTIVE_TOO_LATE, "a directive after the first statement has no effect");
        finding_at(finding, place.line, place.column);
        finding_hint(finding, "Move it to the top of the file.");
    }
}

static const struct piece *piece_at(const struct check *check, const struct error *error)
{
    for (size_t i = 0; i < check->split.count; i++) {
        const struct piece *piece = &check->split.pieces[i];
        if (piece->line == error->line && piece->column == error->column)
            return piece;
    }
    return NULL;
}

static enum statement_kind kind_of(const struct check *check, const struct piece *piece,
                                   const char **ret_what)
{
    return statement_kind(check->source->text + piece->offset, piece->length, ret_what);
}

static bool is_variable_place(const struct check *check, const struct error *error)
{
    for (size_t i = 0; i < check->split.variable_count; i++) {
        struct text_position place = text_position(check->source->text, check->split.variables[i].offset);
        if (place.line + check->source->first_line - 1 == error->line && place.column == error->column)
            return true;
    }
    return false;
}

/* Which rule a script's error is about is told by what stands at its place. */
static const char *rule_of(const struct check *check, const struct error *error)
{
    const char *what = NULL;
    const struct piece *piece = piece_at(check, error);
    if (piece && piece->kind == PIECE_COMMAND)
        return RULE_PSQL_UNSUPPORTED;
    if (is_variable_place(check, error))
        return RULE_PSQL_VARIABLE;
    if (piece && statement_copies_out(check->source->text + piece->offset, piece->length))
        return RULE_COPY_TO_STDOUT;
    if (piece && !check->no_transaction && kind_of(check, piece, &what) == STATEMENT_OUTSIDE)
        return RULE_NEEDS_NO_TRANSACTION;
    return RULE_TRANSACTION_CONTROL;
}

/* The error names the first statement that cannot run in a transaction; there may be more. */
static void add_other_outside(struct check *check, const struct error *error)
{
    for (size_t i = 0; i < check->split.count; i++) {
        const struct piece *piece = &check->split.pieces[i];
        const char *what = NULL;
        bool same = piece->line == error->line && piece->column == error->column;
        if (same || piece->kind != PIECE_STATEMENT || kind_of(check, piece, &what) != STATEMENT_OUTSIDE)
            continue;
        OWNED char *message = text_format("%s cannot run inside a transaction", what);
        struct finding *finding = add(check, RULE_NEEDS_NO_TRANSACTION, message);
        finding_at(finding, piece->line, piece->column);
    }
}

static void add_error(struct check *check, const struct error *error)
{
    const char *rule = rule_of(check, error);
    finding_from_error(check->findings, rule, error);
    if (text_equal(rule, RULE_NEEDS_NO_TRANSACTION))
        add_other_outside(check, error);
}

static void copy_notices(struct check *check, const struct script *script)
{
    for (size_t i = 0; i < script->notices.count; i++) {
        const struct finding *notice = &script->notices.items[i];
        struct finding *copy =
            finding_add(check->findings, notice->rule, notice->severity, notice->file, "%s", notice->message);
        finding_at(copy, notice->line, notice->column);
        if (notice->hint)
            finding_hint(copy, "%s", notice->hint);
    }
}

static void check_index(struct check *check, const struct statement *statement)
{
    AUTO(index_build_clear) struct index_build build = {0};
    if (statement->kind != STATEMENT_OUTSIDE || !parse_index_build(statement->text, &build) ||
        !build.if_not_exists)
        return;
    struct finding *finding =
        add(check, RULE_CONCURRENTLY_IF_NOT_EXISTS,
            "IF NOT EXISTS takes an INVALID index of an earlier attempt for the index and keeps it");
    finding_at(finding, statement->line, statement->column);
    finding_hint(finding,
                 "Leave IF NOT EXISTS out: an INVALID index that the migration itself left is rebuilt.");
}

static void check_statements(struct check *check, const struct script *script)
{
    size_t outside = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct statement *statement = &script->items[i];
        outside += statement->kind == STATEMENT_OUTSIDE || statement->kind == STATEMENT_MAY_COMMIT;
        check_index(check, statement);
    }
    if (check->no_transaction && outside == 0 && script->count > 0) {
        struct finding *finding = add(check, RULE_NO_TRANSACTION_UNNEEDED,
                                      "no-transaction is not needed: every statement can run in one");
        finding_hint(finding, "In a transaction a failure leaves nothing behind.");
    }
}

static void check_prepared(struct check *check)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(script_free) struct script *script = NULL;
    AUTO(text_list_clear) struct text_list settings = variable_stand_ins(check->source, &check->split);
    const struct script_options options = {
        .no_transaction = check->no_transaction, .variables = check->variables, .settings = &settings};
    if (!script_prepare(check->source, &options, &script, &error)) {
        add_error(check, &error);
        return;
    }
    copy_notices(check, script);
    check_statements(check, script);
}

static void check_text(struct check *check)
{
    AUTO(error_clear) struct error error = {0};
    check_directives(check);
    if (!split_source(check->source, false, &check->split, &error))
        finding_from_error(check->findings, RULE_UNTERMINATED, &error);
    else if (check->split.count == 0)
        add(check, RULE_EMPTY_SCRIPT,
            check->role == ROLE_ROLLBACK ? "the rollback script holds no statement"
                                         : "the script holds no statement");
    else if (!check->misread)
        check_prepared(check);
}

static bool has_bad_directives(const struct findings *findings, const char *path)
{
    for (size_t i = 0; i < findings->count; i++)
        if (text_equal(findings->items[i].rule, RULE_DIRECTIVE) && text_equal(findings->items[i].file, path))
            return true;
    return false;
}

/* A text that is not kept is read for the check and forgotten again. */
static void check_source(struct check *check, struct source *source)
{
    AUTO(error_clear) struct error error = {0};
    if (!source->path)
        return;
    check->source = source;
    if (!source_load(source, &error)) {
        finding_from_error(check->findings, RULE_FILE_UNREADABLE, &error);
        return;
    }
    check->misread = has_bad_directives(check->findings, source->path);
    check_text(check);
    source_unload(source);
}

static void check_requires(const struct folder *folder, const struct migration *migration,
                           struct findings *findings)
{
    const struct text_list *requires = &migration->directives.requires;
    for (size_t i = 0; i < requires->count; i++) {
        AUTO(error_clear) struct error error = {0};
        struct migration *other = NULL;
        if (!folder_find(folder, requires->items[i], &other, &error)) {
            error_prefix(&error, "the migration requires \"%s\"", requires->items[i]);
            error_at(&error, migration->forward.path, 0, 0);
            finding_from_error(findings, RULE_REQUIRES, &error);
        } else if (version_compare(&other->version, &migration->version) >= 0) {
            finding_add(findings, RULE_REQUIRES, SEVERITY_ERROR, migration->forward.path,
                        "the migration requires \"%s\", which does not come before it", other->version.stem);
        }
    }
}

static void check_verify(const struct migration *migration, struct findings *findings)
{
    if (!migration_has_verify(migration) || !migration->directives.no_transaction)
        return;
    struct finding *finding =
        finding_add(findings, RULE_VERIFY_NO_TRANSACTION, SEVERITY_ERROR, migration->verify.path,
                    "a no-transaction migration cannot have a verify script");
    finding_hint(finding, "Move the checks into a migration of their own.");
}

static void check_migration(struct migration *migration, struct findings *findings)
{
    const struct directives *directives = &migration->directives;
    AUTO(check_clear)
    struct check forward = {.migration = migration,
                            .role = ROLE_FORWARD,
                            .no_transaction = directives->no_transaction,
                            .variables = directives->variables,
                            .findings = findings};
    AUTO(check_clear)
    struct check rollback = {.migration = migration,
                             .role = ROLE_ROLLBACK,
                             .no_transaction = migration->rollback_directives.no_transaction,
                             .variables = migration->rollback_directives.variables,
                             .findings = findings};
    AUTO(check_clear)
    struct check verify = {.migration = migration,
                           .role = ROLE_VERIFY,
                           .variables = directives->variables,
                           .findings = findings};
    check_source(&forward, &migration->forward);
    check_source(&rollback, &migration->rollback);
    check_source(&verify, &migration->verify);
    check_verify(migration, findings);
}

void check_folder(const struct folder *folder, struct findings *findings)
{
    for (size_t i = 0; i < folder->findings.count; i++) {
        const struct finding *finding = &folder->findings.items[i];
        struct finding *copy =
            finding_add(findings, finding->rule, finding->severity, finding->file, "%s", finding->message);
        finding_at(copy, finding->line, finding->column);
        if (finding->hint)
            finding_hint(copy, "%s", finding->hint);
    }
    for (size_t i = 0; i < folder->count; i++) {
        check_migration(folder->items[i], findings);
        check_requires(folder, folder->items[i], findings);
    }
    rls_window_check(folder->items, folder->count, findings);
}

static int compare_places(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    int order = strcmp(x->file ? x->file : "", y->file ? y->file : "");
    if (order == 0)
        order = (x->line > y->line) - (x->line < y->line);
    if (order == 0)
        order = (x->column > y->column) - (x->column < y->column);
    return order != 0 ? order : strcmp(x->rule, y->rule);
}

void check_sort(struct findings *findings)
{
    if (findings->count > 0)
        qsort(findings->items, findings->count, sizeof *findings->items, compare_places);
}
