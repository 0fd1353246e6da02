/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/folder_scan.h"
#include "migrator/rule.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The file in hand. */
struct script_file {
    struct folder_scan *scan;
    struct source_file file;
    enum file_role role;
    enum layout layout;
    char *stem;
    struct source whole;
};

static void script_file_clear(struct script_file *file)
{
    free(file->stem);
    source_clear(&file->whole);
}
CLEANUP_VALUE(struct script_file, script_file_clear)

void finding_from_error(struct findings *findings, const char *rule, const struct error *error)
{
    struct finding *finding =
        finding_add(findings, rule, SEVERITY_ERROR, error->file, "%s%s%s", error->message,
                    error->detail ? ": " : "", error->detail ? error->detail : "");
    finding_at(finding, error->line, error->column);
    if (error->hint)
        finding_hint(finding, "%s", error->hint);
}

static void finish(struct script_file *file, struct source *source, struct directives *directives)
{
    struct error error = {0};
    source_checksum_by(file->scan->digest, source->text, source->size, source->checksum);
    if (!directives_read(source, directives, &error)) {
        finding_from_error(&file->scan->folder->findings, RULE_DIRECTIVE, &error);
        error_clear(&error);
        directives_clear(directives);
    }
    source_unload(source);
}

static void add_migration(struct script_file *file, const struct sections *sections)
{
    struct folder *folder = file->scan->folder;
    struct migration *migration = memory_allocate(1, sizeof *migration);
    struct source *whole = &file->whole;
    directives_clear(&migration->directives);
    directives_clear(&migration->rollback_directives);
    migration->layout = file->layout;
    version_parse(file->stem, &migration->version);
    if (sections->up && sections->rollback) {
        migration->rollback = (struct source){
            .path = text_copy(whole->path),
            .first_line = sections->first_line,
            .text = text_copy_part(whole->text + sections->down, whole->size - sections->down),
            .size = whole->size - sections->down,
            .part = SOURCE_DOWN,
        };
        finish(file, &migration->rollback, &migration->rollback_directives);
    }
    migration->forward = *whole;
    *whole = (struct source){0};
    if (sections->up) {
        migration->forward.size = sections->down;
        migration->forward.text[sections->down] = '\0';
        migration->forward.part = SOURCE_UP;
    }
    finish(file, &migration->forward, &migration->directives);
    folder->items = memory_grow(folder->items, folder->count, sizeof *folder->items);
    folder->items[folder->count++] = migration;
}

static void add_partner(struct script_file *file)
{
    struct folder_scan *scan = file->scan;
    struct partner partner = {
        .role = file->role, .layout = file->layout, .stem = take(file->stem), .source = file->whole};
    file->whole = (struct source){0};
    finish(file, &partner.source, &partner.directives);
    scan->partners = memory_grow(scan->partners, scan->partner_count, sizeof *scan->partners);
    scan->partners[scan->partner_count++] = partner;
}

/* In a folder of several layouts, a file with sections is known by its text alone, whatever its name ends in.
 */
static bool find_sections(struct script_file *file, struct sections *sections, const char **ret_rule,
                          struct error *error)
{
    enum layout layout = file->scan->options->layout;
    if (file->layout == LAYOUT_UPDOWN || file->layout == LAYOUT_FLYWAY)
        layout = file->layout;
    if (!sections_read(&file->whole, layout, sections, ret_rule, error))
        return false;
    if (!sections->up)
        return true;
    size_t length = strlen(file->file.name) - strlen(".sql");
    free(file->stem);
    file->stem = text_copy_part(file->file.name, length);
    file->role = ROLE_SECTIONS;
    file->layout = LAYOUT_SECTIONS;
    return true;
}

static bool read_file(struct script_file *file, const char **ret_rule, struct error *error)
{
    struct sections sections;
    if (!source_read_file(&file->file, &file->whole.text, &file->whole.size, ret_rule, error))
        return false;
    file->whole.path = text_copy(file->file.path);
    file->whole.first_line = 1;
    if (!find_sections(file, &sections, ret_rule, error))
        return false;
    if (file->role == ROLE_ROLLBACK || file->role == ROLE_VERIFY)
        add_partner(file);
    else
        add_migration(file, &sections);
    return true;
}

/* What no terminal and no history can show becomes question marks. */
static bool make_printable(char *text)
{
    bool clean = true;
    size_t bad;
    for (; !text_is_utf8(text, strlen(text), &bad); clean = false)
        text[bad] = '?';
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at >= ' ' && *at != '\177')
            continue;
        *at = '?';
        clean = false;
    }
    return clean;
}

static void scan_file(struct folder_scan *scan, int descriptor, const char *name, const char *path)
{
    AUTO(script_file_clear)
    struct script_file file = {.scan = scan, .file = {.folder = descriptor, .name = name, .path = path}};
    struct findings *findings = &scan->folder->findings;
    enum layout layout = scan->options->layout;
    OWNED char *shown_name = text_copy(name), *shown_path = text_copy(path);
    bool printable = make_printable(shown_name);
    make_printable(shown_path);
    file.role = migration_file_role(name, layout, &file.stem, &file.layout);
    if (file.role == ROLE_STRAY) {
        OWNED char *reason = layout_stray_reason(name, layout);
        if (reason)
            finding_add(findings, RULE_STRAY_FILE, SEVERITY_WARNING, shown_path,
                        "not a migration, ignored: %s", reason);
        return;
    }
    if (!printable) {
        finding_add(findings, RULE_FILE_NAME, SEVERITY_ERROR, shown_path,
                    "the file name is not valid UTF-8 or holds control characters, shown as ?");
        return;
    }
    AUTO(error_clear) struct error error = {0};
    const char *rule = NULL;
    if (read_file(&file, &rule, &error))
        return;
    finding_from_error(findings, rule, &error);
    if (file.role == ROLE_FORWARD || file.role == ROLE_SECTIONS)
        text_list_add(&scan->unread, take(file.stem));
}

static void folder_problem(struct folder_scan *scan, const char *directory, int problem)
{
    struct findings *findings = &scan->folder->findings;
    struct finding *finding =
        finding_add(findings, RULE_FOLDER_MISSING, SEVERITY_ERROR, directory,
                    "could not open migrations folder \"%s\": %s", directory, strerror(problem));
    if (problem == ENOENT)
        finding_hint(finding, "Create it, or name another with -m, or as \"directory\" in pgmigrate.conf.");
}

static bool is_seen(struct folder_scan *scan, int descriptor)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return false;
    OWNED char *identity = text_format("%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    if (text_list_contains(&scan->seen, identity))
        return true;
    text_list_add(&scan->seen, take(identity));
    return false;
}

void folder_scan_directory(struct folder_scan *scan, const char *directory)
{
    AUTO(text_list_clear) struct text_list names = {0};
    AUTO(error_clear) struct error error = {0};
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        folder_problem(scan, directory, errno);
        return;
    }
    if (is_seen(scan, descriptor)) {
        close(descriptor);
        return;
    }
    if (!file_list(directory, &names, &error)) {
        error_at(&error, directory, 0, 0);
        finding_from_error(&scan->folder->findings, RULE_FOLDER_MISSING, &error);
    }
    size_t before = scan->folder->count + scan->partner_count + scan->folder->findings.count;
    for (size_t i = 0; i < names.count; i++) {
        OWNED char *path = file_join(directory, names.items[i]);
        scan_file(scan, descriptor, names.items[i], path);
    }
    close(descriptor);
    if (before == scan->folder->count + scan->partner_count + scan->folder->findings.count) {
        struct finding *finding = finding_add(&scan->folder->findings, RULE_FOLDER_EMPTY, SEVERITY_NOTICE,
                                              directory, "the folder holds no migrations");
        finding_hint(finding, "Write the first with: pgmigrate new DESCRIPTION");
    }
}

void folder_scan_clear(struct folder_scan *scan)
{
    if (!scan)
        return;
    for (size_t i = 0; i < scan->partner_count; i++) {
        free(scan->partners[i].stem);
        source_clear(&scan->partners[i].source);
        directives_clear(&scan->partners[i].directives);
    }
    free(scan->partners);
    digest_free(take(scan->digest));
    scan->partners = NULL;
    scan->partner_count = 0;
    text_list_clear(&scan->seen);
    text_list_clear(&scan->unread);
}
