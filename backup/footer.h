/* SPDX-License-Identifier: PostgreSQL */
/* The end of an archive, as bytes: see archive.h. */
#ifndef BACKUP_FOOTER_H
#define BACKUP_FOOTER_H

#include "backup/archive.h"

#define FOOTER_NAME         ".footer"
#define FOOTER_CONTENT_SIZE 512
#define FOOTER_TAIL_SIZE    2048 /* its header, its content and the end of the archive */

/* The content of the member FOOTER_NAME. */
void footer_write(const struct archive_place *manifest, char ret[FOOTER_CONTENT_SIZE]);
/* The last bytes of an archive of that size: where its manifest is. ERROR_BACKUP where they are not a whole
 * footer, or point outside of the archive; path is for the message. */
MUST_CHECK bool footer_read(const char tail[FOOTER_TAIL_SIZE], int64_t archive_size, const char *path,
                            struct archive_place *ret_manifest, struct error *error);

#endif
