/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/folder.h"
#include "migrator/folder_scan.h"
#include "migrator/gap.h"
#include "migrator/rule.h"

static int compare_versions(const void *a, const void *b)
{
    const struct migration *x = *(struct migration *const *)a, *y = *(struct migration *const *)b;
    int order = version_compare(&x->version, &y->version);
    return order != 0 ? order : strcmp(x->forward.path, y->forward.path);
}

static int compare_stems(const void *a, const void *b)
{
    const struct migration *x = *(struct migration *const *)a, *y = *(struct migration *const *)b;
    int order = strcmp(x->version.stem, y->version.stem);
    return order != 0 ? order : strcmp(x->forward.path, y->forward.path);
}

static void order(struct folder *folder)
{
    if (folder->count == 0)
        return;
    qsort(folder->items, folder->count, sizeof *folder->items, compare_versions);
    folder->by_stem = memory_allocate(folder->count, sizeof *folder->by_stem);
    memcpy(folder->by_stem, folder->items, folder->count * sizeof *folder->items);
    qsort(folder->by_stem, folder->count, sizeof *folder->by_stem, compare_stems);
}

struct migration *folder_stem(const struct folder *folder, const char *stem)
{
    size_t low = 0, high = folder->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int comparison = strcmp(folder->by_stem[middle]->version.stem, stem);
        if (comparison == 0)
            return folder->by_stem[middle];
        if (comparison < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Flyway pairs U and V files by number, whatever their descriptions say. */
static struct migration *by_number(const struct folder *folder, const char *stem)
{
    AUTO(version_clear) struct version version = {0};
    struct migration *found = NULL;
    if (!version_parse(stem, &version))
        return NULL;
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->items[i]->layout != LAYOUT_FLYWAY ||
            version_compare_number(&folder->items[i]->version, &version) != 0)
            continue;
        if (found)
            return NULL;
        found = folder->items[i];
    }
    return found;
}

static void orphan(struct findings *findings, const struct partner *partner)
{
    const char *path = partner->source.path;
    if (partner->role == ROLE_VERIFY) {
        finding_add(findings, RULE_VERIFY_WITHOUT_FORWARD, SEVERITY_ERROR, path,
                    "a verify script without its forward file \"%s.sql\"", partner->stem);
        return;
    }
    struct finding *finding;
    if (partner->layout != LAYOUT_NATIVE) {
        const char *suffix = partner->layout == LAYOUT_UPDOWN ? ".up.sql" : ".sql";
        finding_add(findings, RULE_ROLLBACK_WITHOUT_FORWARD, SEVERITY_ERROR, path,
                    "a rollback script without its forward file \"%s%s\"", partner->stem, suffix);
        return;
    }
    finding = finding_add(
        findings, RULE_ROLLBACK_WITHOUT_FORWARD, SEVERITY_ERROR, path,
        "a name that ends in \"_rollback\" is the rollback of \"%s.sql\", which is not there", partner->stem);
    finding_hint(finding,
                 "If it is a forward migration, rename it so that it does not end in \"_rollback\".");
}

static void pair_one(struct folder_scan *scan, struct partner *partner)
{
    struct folder *folder = scan->folder;
    struct migration *migration = folder_stem(folder, partner->stem);
    if (!migration && partner->layout == LAYOUT_FLYWAY)
        migration = by_number(folder, partner->stem);
    if (!migration) {
        if (!text_list_contains(&scan->unread, partner->stem))
            orphan(&folder->findings, partner);
        return;
    }
    bool verify = partner->role == ROLE_VERIFY;
    struct source *target = verify ? &migration->verify : &migration->rollback;
    if (target->path) {
        finding_add(&folder->findings, RULE_DUPLICATE_VERSION, SEVERITY_ERROR, partner->source.path,
                    "a second %s script for \"%s\": \"%s\" is there, too", verify ? "verify" : "rollback",
                    migration->version.stem, target->path);
        return;
    }
    *target = partner->source;
    partner->source = (struct source){0};
    if (!verify) {
        directives_clear(&migration->rollback_directives);
        migration->rollback_directives = partner->directives;
        partner->directives = (struct directives){0};
    }
}

/* The same stem twice can never be told apart in the history; the same number only where that is allowed. */
static void check_duplicates(struct folder *folder, bool allowed)
{
    for (size_t i = 1; i < folder->count; i++) {
        const struct migration *a = folder->items[i - 1], *b = folder->items[i];
        bool same = text_equal(a->version.stem, b->version.stem);
        if (!same && (allowed || version_compare_number(&a->version, &b->version) != 0))
            continue;
        struct finding *finding = finding_add(
            &folder->findings, RULE_DUPLICATE_VERSION, SEVERITY_ERROR, b->forward.path,
            "%s \"%s%s\" is used by \"%s\", too", same ? "version" : "number",
            same ? b->version.stem : b->version.digits, same ? "" : b->version.suffix, a->forward.path);
        if (same)
            finding_hint(finding, "Rename one of the files.");
        else
            finding_hint(finding,
                         "Renumber the one that was applied nowhere yet, or set duplicate_versions = allow.");
    }
}

static void check_rollback(struct folder *folder, const struct migration *migration,
                           enum rollback_required required)
{
    bool has = migration_has_rollback(migration);
    const char *path = migration->forward.path;
    if (has && migration->directives.irreversible) {
        finding_add(&folder->findings, RULE_ROLLBACK_IRREVERSIBLE, SEVERITY_WARNING, path,
                    "the migration is irreversible by its directive, but has a rollback script");
    }
    if (has || migration->directives.irreversible || required == ROLLBACK_NO)
        return;
    enum severity severity = required == ROLLBACK_YES ? SEVERITY_ERROR : SEVERITY_WARNING;
    struct finding *finding = finding_add(&folder->findings, RULE_ROLLBACK_MISSING, severity, path,
                                          "the migration has no rollback script");
    finding_hint(finding, "Write one, or say that there can be none: -- pgmigrate: irreversible");
}

/* A missing rollback stops only who applies the migration: plan_steps. */
static bool is_fault(const struct finding *finding)
{
    return finding->severity == SEVERITY_ERROR && !text_equal(finding->rule, RULE_ROLLBACK_MISSING);
}

/* The first error of the findings, for who wants one. */
static bool first_error(const struct folder *folder, struct error *error)
{
    size_t errors = 0, first = 0;
    for (size_t i = folder->findings.count; i-- > 0;) {
        if (!is_fault(&folder->findings.items[i]))
            continue;
        first = i;
        errors++;
    }
    if (errors == 0)
        return true;
    const struct finding *finding = &folder->findings.items[first];
    error_set(error, ERROR_USAGE, "%s", finding->message);
    error_at(error, finding->file, finding->line, finding->column);
    if (errors > 1)
        error_detail(error, "%zu more %s found; \"pgmigrate check\" lists all.", errors - 1,
                     errors == 2 ? "error was" : "errors were");
    if (finding->hint)
        error_hint(error, "%s", finding->hint);
    return false;
}

bool folder_read(const struct folder_options *options, struct folder **ret_folder, struct error *error)
{
    struct folder *folder = memory_allocate(1, sizeof *folder);
    AUTO(folder_scan_clear)
    struct folder_scan scan = {.options = options, .folder = folder, .digest = digest_new()};
    for (size_t i = 0; i < options->directories.count; i++)
        folder_scan_directory(&scan, options->directories.items[i]);
    order(folder);
    for (size_t i = 0; i < scan.partner_count; i++)
        pair_one(&scan, &scan.partners[i]);
    check_duplicates(folder, options->allow_duplicates);
    for (size_t i = 0; i < folder->count; i++)
        check_rollback(folder, folder->items[i], options->rollback_required);
    if (scan.unread.count == 0)
        gap_check(folder);
    *ret_folder = folder;
    return first_error(folder, error);
}

static bool several(const struct folder *folder, const char *word, struct error *error)
{
    struct text_list stems = {0};
    for (size_t i = 0; i < folder->count; i++)
        if (version_matches(&folder->items[i]->version, word))
            text_list_add(&stems, text_format("\"%s\"", folder->items[i]->version.stem));
    OWNED char *list = text_list_join(&stems, ", ");
    text_list_clear(&stems);
    error_set(error, ERROR_USAGE, "version \"%s\" names several migrations", word);
    error_detail(error, "They are %s.", list);
    return error_hint(error, "Use the whole name.");
}

static bool none(const struct folder *folder, const char *word, struct error *error)
{
    const char **stems = memory_allocate(folder->count + 1, sizeof *stems);
    for (size_t i = 0; i < folder->count; i++)
        stems[i] = folder->items[i]->version.stem;
    const char *near = text_nearest(word, stems);
    error_set(error, ERROR_USAGE, "there is no migration \"%s\"", word);
    if (near)
        error_hint(error, "Did you mean \"%s\"?", near);
    else if (folder->count == 1)
        error_hint(error, "There is only \"%s\".", stems[0]);
    else if (folder->count > 0)
        error_hint(error, "The migrations go from \"%s\" to \"%s\".", stems[0], stems[folder->count - 1]);
    else
        error_hint(error, "The migrations folder is empty.");
    free(stems);
    return false;
}

bool folder_find(const struct folder *folder, const char *word, struct migration **ret, struct error *error)
{
    struct migration *found = folder_stem(folder, word);
    if (!found && folder->count > 0 && text_equal(word, "latest"))
        found = folder->items[folder->count - 1];
    if (found) {
        *ret = found;
        return true;
    }
    for (size_t i = 0; i < folder->count; i++) {
        if (!version_matches(&folder->items[i]->version, word))
            continue;
        if (found)
            return several(folder, word, error);
        found = folder->items[i];
    }
    if (!found)
        return none(folder, word, error);
    *ret = found;
    return true;
}

void folder_free(struct folder *folder)
{
    if (!folder)
        return;
    for (size_t i = 0; i < folder->count; i++)
        migration_free(folder->items[i]);
    free(folder->items);
    free(folder->by_stem);
    findings_clear(&folder->findings);
    free(folder);
}
