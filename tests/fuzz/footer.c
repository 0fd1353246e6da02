/* SPDX-License-Identifier: PostgreSQL */
/* Any bytes as the content of a footer, behind a header that is right: a place that is read lies within. */
#include "backup/footer.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_header(char *header)
{
    unsigned sum = 0;

    memcpy(header, FOOTER_NAME, sizeof FOOTER_NAME);
    memcpy(header + 124, "00000001000", 11);
    memcpy(header + 257, "ustar", 6);
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < FOOTER_CONTENT_SIZE; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    header[155] = ' ';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(error_clear) struct error error = {0};
    char tail[FOOTER_TAIL_SIZE] = {0};
    struct archive_place place;
    const int64_t archive = 1 << 20;

    make_header(tail);
    memset(tail + FOOTER_CONTENT_SIZE, '\n', FOOTER_CONTENT_SIZE);
    memcpy(tail + FOOTER_CONTENT_SIZE, data, size < FOOTER_CONTENT_SIZE ? size : FOOTER_CONTENT_SIZE);
    if (!footer_read(tail, archive, "x.tar", &place, &error)) {
        assert(error.code == ERROR_BACKUP);
        return 0;
    }
    assert(place.offset >= 0 && place.size >= 0 && place.offset + place.size <= archive - FOOTER_TAIL_SIZE);
    return 0;
}
