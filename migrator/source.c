/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/source.h"
#include "migrator/layout.h"
#include "migrator/rule.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char bom[] = "\xEF\xBB\xBF";

/* The text with its line ends normalised, the first of which is at carriage. */
static void digest_lines(const char *text, size_t size, const char *carriage, char ret_hex[DIGEST_HEX_SIZE])
{
    const char *end = text + size;
    struct digest *digest = digest_new();
    for (; carriage; carriage = text < end ? memchr(text, '\r', (size_t)(end - text)) : NULL) {
        digest_add(digest, text, (size_t)(carriage - text));
        digest_add(digest, "\n", 1);
        text = carriage + 1;
        text += text < end && *text == '\n' ? 1 : 0;
    }
    digest_add(digest, text, (size_t)(end - text));
    digest_finish(digest, ret_hex);
}

void source_checksum_by(struct digest *digest, const char *text, size_t size, char ret_hex[DIGEST_HEX_SIZE])
{
    if (size >= 3 && memcmp(text, bom, 3) == 0) {
        text += 3;
        size -= 3;
    }
    const char *carriage = size > 0 ? memchr(text, '\r', size) : NULL;
    if (carriage)
        digest_lines(text, size, carriage, ret_hex);
    else
        digest_of(digest, text, size, ret_hex);
}

void source_checksum(const char *text, size_t size, char ret_hex[DIGEST_HEX_SIZE])
{
    AUTO(digest_free) struct digest *digest = digest_new();
    source_checksum_by(digest, text, size, ret_hex);
}

static bool read_all(int descriptor, char **ret_text, size_t *ret_size)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return false;
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return false;
    }
    size_t size = (size_t)status.st_size, used = 0;
    OWNED char *text = memory_allocate(size + 1, 1);
    while (used < size) {
        ssize_t got = read(descriptor, text + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    text[used] = '\0';
    *ret_text = take(text);
    *ret_size = used;
    return true;
}

static bool open_and_read(const struct source_file *file, char **ret_text, size_t *ret_size,
                          struct error *error)
{
    /* Without O_NONBLOCK a named pipe would hold us up for ever. */
    int descriptor = openat(file->folder, file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool done = descriptor >= 0 && read_all(descriptor, ret_text, ret_size);
    int problem = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (done)
        return true;
    error_set(error, ERROR_USAGE, "could not read \"%s\": %s", file->path,
              problem == EINVAL ? "not a regular file" : strerror(problem));
    if (problem == EACCES)
        error_hint(error, "Give the user who runs pgmigrate read permission on the file.");
    return error_at(error, file->path, 0, 0);
}

static bool is_utf16(const char *text, size_t size)
{
    return size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
}

static bool check_utf8(const char *text, size_t size, const char **ret_rule, struct error *error)
{
    size_t bad = 0;
    if (text_is_utf8(text, size, &bad))
        return true;
    struct text_position position = text_position(text, bad);
    *ret_rule = text[bad] == '\0' ? RULE_NUL_BYTE : RULE_INVALID_ENCODING;
    if (text[bad] == '\0') {
        error_set(error, ERROR_USAGE, "the script holds a NUL byte");
        error_hint(error, "PostgreSQL's texts cannot hold NUL; remove it.");
    } else {
        error_set(error, ERROR_USAGE, "the script is not valid UTF-8: byte 0x%02x", (unsigned char)text[bad]);
        error_hint(error, "Convert the file, for example with: iconv -f WINDOWS-1252 -t UTF-8");
    }
    return error_at(error, NULL, position.line, position.column);
}

bool source_read_file(const struct source_file *file, char **ret_text, size_t *ret_size,
                      const char **ret_rule, struct error *error)
{
    OWNED char *text = NULL;
    size_t size = 0;
    *ret_rule = RULE_FILE_UNREADABLE;
    if (!open_and_read(file, &text, &size, error))
        return false;
    if (is_utf16(text, size)) {
        *ret_rule = RULE_INVALID_ENCODING;
        error_set(error, ERROR_USAGE, "the script is encoded in UTF-16");
        error_hint(error, "Save the file as UTF-8, for example with: iconv -f UTF-16 -t UTF-8");
        return error_at(error, file->path, 1, 1);
    }
    if (size >= 3 && memcmp(text, bom, 3) == 0) {
        size -= 3;
        memmove(text, text + 3, size + 1);
    }
    if (!check_utf8(text, size, ret_rule, error))
        return error_at(error, file->path, error->line, error->column);
    *ret_text = take(text);
    *ret_size = size;
    return true;
}

/* Reduce the text of a whole file to the part that a source is. */
static bool cut_part(const struct source *source, char **text, size_t *size, struct error *error)
{
    if (source->part == SOURCE_WHOLE)
        return true;
    struct sections sections;
    const char *rule = NULL;
    const struct source whole = {.path = source->path, .first_line = 1, .text = *text, .size = *size};
    if (!sections_read(&whole, LAYOUT_SECTIONS, &sections, &rule, error))
        return false;
    bool up = source->part == SOURCE_UP;
    char *part = up ? text_copy_part(*text, sections.down)
                    : text_copy_part(*text + sections.down, *size - sections.down);
    *size = up ? sections.down : *size - sections.down;
    free(*text);
    *text = part;
    return true;
}

bool source_load(struct source *source, struct error *error)
{
    if (source->text)
        return true;
    OWNED char *text = NULL;
    size_t size = 0;
    const char *rule = NULL;
    const struct source_file file = {.folder = AT_FDCWD, .name = source->path, .path = source->path};
    if (!source_read_file(&file, &text, &size, &rule, error) || !cut_part(source, &text, &size, error))
        return false;
    char checksum[DIGEST_HEX_SIZE];
    source_checksum(text, size, checksum);
    if (strcmp(checksum, source->checksum) != 0) {
        error_set(error, ERROR_USAGE, "\"%s\" was changed while pgmigrate was running", source->path);
        error_hint(error, "Run the command again.");
        return error_at(error, source->path, 0, 0);
    }
    source->text = take(text);
    source->size = size;
    return true;
}

void source_unload(struct source *source)
{
    if (source->size <= SOURCE_KEEP || !source->path)
        return;
    free(source->text);
    source->text = NULL;
}

void source_clear(struct source *source)
{
    if (!source)
        return;
    free(source->path);
    free(source->text);
    *source = (struct source){0};
}
