/* SPDX-License-Identifier: PostgreSQL */
/* Any text as a commit record: what is read can be written and is read as the same. */
#include "backup/record.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(record_free) struct record *record = NULL, *back = NULL;
    size_t written, again;

    if (!record_read((const char *)data, size, &record, &error)) {
        assert(error.code == ERROR_BACKUP && error.message && !record);
        return 0;
    }
    assert(record_id_is_valid(record->id));
    OWNED char *text = record_write(record, &written);
    assert(record_read(text, written, &back, &error));
    OWNED char *other = record_write(back, &again);
    assert(written == again && memcmp(text, other, written) == 0);
    return 0;
}
