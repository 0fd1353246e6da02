/* SPDX-License-Identifier: PostgreSQL */
/* Any text as a manifest: what is read can be written and is read as the same. */
#include "backup/manifest.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(manifest_free) struct manifest *manifest = NULL, *back = NULL;
    const int64_t archive = 1 << 20;
    size_t written, again;

    if (!manifest_read((const char *)data, size, archive, &manifest, &error)) {
        assert(error.code == ERROR_BACKUP && error.message && !manifest);
        return 0;
    }
    assert(manifest_rows(manifest) >= 0 && manifest_raw_bytes(manifest) >= 0);
    OWNED char *text = manifest_write(manifest, &written);
    assert(manifest_read(text, written, archive, &back, &error));
    OWNED char *other = manifest_write(back, &again);
    assert(written == again && memcmp(text, other, written) == 0);
    return 0;
}
