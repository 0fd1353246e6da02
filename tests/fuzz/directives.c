/* SPDX-License-Identifier: PostgreSQL */
/* Any text as a script: its sections, its directives, and those that come too late. */
#include "migrator/comment.h"
#include "migrator/directive.h"
#include "migrator/layout.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct error *error)
{
    assert(error->code == ERROR_USAGE && error->message && error->line > 0 && error->column > 0);
}

static void check_sections(const struct source *source, enum layout layout)
{
    AUTO(error_clear) struct error error = {0};
    struct sections sections;
    const char *rule = NULL;
    if (!sections_read(source, layout, &sections, &rule, &error)) {
        check_error(&error);
        assert(rule);
        return;
    }
    assert(sections.down <= source->size && sections.first_line > 0);
    assert(sections.up || sections.down == source->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t bad = 0;
    if (!text_is_utf8((const char *)data, size, &bad))
        return 0;
    OWNED char *text = text_copy_part((const char *)data, size);
    static char path[] = "001_x.sql";
    const struct source source = {
        .path = path, .first_line = 1, .text = text, .size = size, .part = SOURCE_UP};
    AUTO(directives_clear) struct directives directives = {0};
    AUTO(error_clear) struct error error = {0};
    if (!directives_read(&source, &directives, &error))
        check_error(&error);
    size_t offset = 0, before = 0;
    struct text_position place;
    while (directives_too_late(&source, &offset, &place)) {
        assert(offset > before && offset <= size && place.line > 0);
        assert(!comment_only(text, size));
        before = offset;
    }
    check_sections(&source, LAYOUT_AUTO);
    check_sections(&source, LAYOUT_SECTIONS);
    return 0;
}
