/* SPDX-License-Identifier: PostgreSQL */
/* Any file name, in any layout: what it is, and the order of what it says. */
#include "common/text.h"
#include "migrator/layout.h"
#include "migrator/version.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_version(const char *stem)
{
    AUTO(version_clear) struct version version = {0};
    AUTO(version_clear) struct version again = {0};
    if (!version_parse(stem, &version))
        return;
    assert(strlen(version.number) > 0 && strlen(version.number) <= strlen(version.digits));
    assert(version_parse(stem, &again) && version_compare(&version, &again) == 0);
    assert(version_matches(&version, stem));
    OWNED char *number = text_format("%s%s", version.number, version.suffix);
    assert(version_matches(&version, number));
}

static void check_order(const char *a, const char *b)
{
    AUTO(version_clear) struct version x = {0};
    AUTO(version_clear) struct version y = {0};
    if (!version_parse(a, &x) || !version_parse(b, &y))
        return;
    int order = version_compare(&x, &y), reverse = version_compare(&y, &x);
    assert((order < 0) == (reverse > 0) && (order == 0) == (reverse == 0));
    assert((order == 0) == (strcmp(a, b) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED char *name = text_copy_part((const char *)data, size);
    for (int layout = LAYOUT_AUTO; layout <= LAYOUT_FLYWAY; layout++) {
        OWNED char *stem = NULL;
        enum layout kind = LAYOUT_AUTO;
        enum file_role role = migration_file_role(name, (enum layout)layout, &stem, &kind);
        OWNED char *reason = layout_stray_reason(name, (enum layout)layout);
        assert((role == ROLE_STRAY) == (stem == NULL));
        assert(role == ROLE_STRAY || kind != LAYOUT_AUTO);
        assert(role == ROLE_STRAY ? reason || !text_ends_with(name, ".sql") : text_ends_with(name, ".sql"));
        if (!stem)
            continue;
        AUTO(version_clear) struct version version = {0};
        assert(version_parse(stem, &version));
        assert(*version.description);
        check_version(stem);
    }
    check_version(name);
    size_t half = strlen(name) / 2;
    OWNED char *first = text_copy_part(name, half);
    check_order(first, name + half);
    return 0;
}
