/* SPDX-License-Identifier: PostgreSQL */
#include "common/config.h"
#include <errno.h>
#include <ini.h>
#include <string.h>

#define FILE_NAME    "pgmigrate.conf"
#define LONGEST_LINE 8192

/* One "key = value" of the file. */
struct setting {
    const struct config_key *key;
    char *name;        /* the key's, or one that begins with it */
    char *environment; /* NULL in a general section */
    char *value;
    size_t line;
};

struct config {
    char *file;        /* as in messages; NULL: none */
    char *file_folder; /* absolute */
    char *folder;      /* the current one */
    char *unsearched;  /* where the file may be, or NULL */
    char *environment;
    struct text_list environments; /* that the file has */
    struct setting *settings;
    size_t count;
    char **flags;     /* by the key's place in the table; NULL: not given */
    char **variables; /* likewise */
};

static size_t key_count(void)
{
    size_t count = 0;

    while (config_keys[count].name != NULL)
        count++;
    return count;
}

static void free_values(char **values)
{
    for (size_t i = 0; values != NULL && config_keys[i].name != NULL; i++)
        free(values[i]);
    free(values);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->count; i++) {
        free(config->settings[i].name);
        free(config->settings[i].environment);
        free(config->settings[i].value);
    }
    free(config->settings);
    free_values(config->flags);
    free_values(config->variables);
    text_list_clear(&config->environments);
    free(config->environment);
    free(config->file);
    free(config->file_folder);
    free(config->unsearched);
    free(config->folder);
    free(config);
}

/* ---- reading the file ---- */

struct reading {
    struct config *config;
    const char *rest; /* of the text */
    size_t line;
    bool in_section;
    char *section;     /* general section, or NULL in an environment's */
    char *environment; /* or NULL in a general section */
    bool is_wrong;     /* error is set; the rest does not matter any more */
    struct error *error;
};

static void reading_clear(struct reading *reading)
{
    free(reading->section);
    free(reading->environment);
}
CLEANUP_VALUE(struct reading, reading_clear)

/* After error_set: where it is, and that it is. */
static void wrong(struct reading *reading)
{
    error_at(reading->error, reading->config->file, reading->line, 0);
    reading->is_wrong = true;
}

static bool is_section(const char *name)
{
    for (const struct config_key *key = config_keys; key->name != NULL; key++)
        if (strcmp(key->section, name) == 0)
            return true;
    return false;
}

static void unknown_section(struct reading *reading, const char *name)
{
    OWNED const char **known = memory_allocate(key_count() + 1, sizeof *known);
    for (size_t i = 0; config_keys[i].name != NULL; i++)
        known[i] = config_keys[i].section;
    const char *nearest = text_nearest(name, known);

    error_set(reading->error, ERROR_USAGE, "unknown section [%s]", name);
    if (nearest != NULL && strcmp(nearest, "environment") == 0)
        error_hint(reading->error, "Did you mean [environment NAME]?");
    else if (nearest != NULL)
        error_hint(reading->error, "Did you mean [%s]?", nearest);
    wrong(reading);
}

static void enter_environment(struct reading *reading, const char *name)
{
    if (*name == '\0') {
        error_set(reading->error, ERROR_USAGE, "section [environment] wants a name");
        error_hint(reading->error, "Write [environment production].");
        wrong(reading);
        return;
    }
    reading->environment = text_copy(name);
    if (!text_list_contains(&reading->config->environments, name))
        text_list_add(&reading->config->environments, text_copy(name));
}

static void enter_section(struct reading *reading, const char *heading)
{
    AUTO(text_list_clear) struct text_list words = text_list_split(heading, ' ');
    OWNED char *name = text_list_join(&words, " ");

    reading_clear(reading);
    reading->section = reading->environment = NULL;
    reading->in_section = true;
    if (words.count > 0 && strcmp(words.items[0], "environment") == 0)
        enter_environment(reading, words.count > 1 ? name + strlen("environment ") : "");
    else if (is_section(name))
        reading->section = take(name);
    else
        unknown_section(reading, name);
}

/*
 * inih asks for one line after the other. It calls nobody for a heading, cuts long ones short, and takes an
 * indented line for the continuation of the value above, so headings are noted and indentation removed here.
 */
static char *next_line(char *line, int size, void *stream)
{
    struct reading *reading = stream;
    const char *end = strchrnul(reading->rest, '\n');
    const char *start = reading->rest;

    if (*start == '\0' || reading->is_wrong)
        return NULL;
    reading->line++;
    reading->rest = *end == '\0' ? end : end + 1;
    if (reading->line == 1 && text_starts_with(start, "\xEF\xBB\xBF"))
        start += 3;
    start += strspn(start, " \t");
    if (end < start)
        end = start;
    if (end - start > size - 2) {
        error_set(reading->error, ERROR_USAGE, "line is longer than %d bytes", size - 2);
        wrong(reading);
        return NULL;
    }
    *(char *)mempcpy(line, start, (size_t)(end - start)) = '\0';

    const char *close = strchr(line, ']');
    if (line[0] == '[' && close != NULL) {
        OWNED char *heading = text_copy_part(line + 1, (size_t)(close - line - 1));
        enter_section(reading, heading);
    }
    return line;
}

static bool belongs_here(struct reading *reading, const struct config_key *key)
{
    if (reading->environment != NULL ||
        (reading->section != NULL && strcmp(key->section, reading->section) == 0))
        return true;
    if (reading->in_section)
        error_set(reading->error, ERROR_USAGE, "key \"%s\" does not belong in section [%s]", key->name,
                  reading->section);
    else
        error_set(reading->error, ERROR_USAGE, "key \"%s\" stands before the first section", key->name);
    if (strcmp(key->section, "environment") == 0)
        error_hint(reading->error, "It belongs in a section [environment NAME].");
    else
        error_hint(reading->error, "It belongs in section [%s], or in [environment NAME].", key->section);
    return false;
}

static const struct setting *find_setting(const struct config *config, const char *name,
                                          const char *environment)
{
    for (size_t i = 0; i < config->count; i++)
        if (strcmp(config->settings[i].name, name) == 0 &&
            text_equal(config->settings[i].environment, environment))
            return &config->settings[i];
    return NULL;
}

static bool check_setting(struct reading *reading, const char *name, const char *value)
{
    const struct config_key *key = config_key(name);

    if (key == NULL) {
        error_set(reading->error, ERROR_USAGE, "unknown key \"%s\"", name);
        return config_key_hint(name, reading->error);
    }
    if (!belongs_here(reading, key) || !config_key_check(key, name, value, reading->error))
        return false;
    const struct setting *first = find_setting(reading->config, name, reading->environment);
    if (first != NULL)
        return error_set(reading->error, ERROR_USAGE, "key \"%s\" is set twice, first in line %zu", name,
                         first->line);
    return true;
}

static int on_value(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    struct config *config = reading->config;

    (void)section; /* cut short; ours is not */
    if (reading->is_wrong)
        return 0;
    if (!check_setting(reading, name, value)) {
        wrong(reading);
        return 0;
    }
    config->settings = memory_grow(config->settings, config->count, sizeof *config->settings);
    config->settings[config->count++] = (struct setting){.key = config_key(name),
                                                         .name = text_copy(name),
                                                         .environment = text_copy(reading->environment),
                                                         .value = text_copy(value),
                                                         .line = reading->line};
    return 1;
}

static bool check_encoding(const struct config *config, const char *text, size_t size, struct error *error)
{
    size_t bad;

    if (text_is_utf8(text, size, &bad))
        return true;
    struct text_position place = text_position(text, bad);
    error_set(error, ERROR_USAGE, "configuration is not valid UTF-8");
    return error_at(error, config->file, place.line, place.column);
}

static bool read_settings(struct config *config, struct error *error)
{
    OWNED char *text = NULL;
    size_t size;

    if (!file_read(config->file, &text, &size, error)) {
        error->code = ERROR_USAGE;
        return false;
    }
    if (!check_encoding(config, text, size, error))
        return false;

    AUTO(reading_clear) struct reading reading = {.config = config, .rest = text, .error = error};
    ini_use_stack = false;
    ini_max_line = ini_initial_alloc = LONGEST_LINE;
    int line = ini_parse_stream(next_line, &reading, on_value, &reading);
    if (line == 0 && !reading.is_wrong)
        return true;
    if (reading.is_wrong && (line <= 0 || reading.error->line <= (size_t)line))
        return false;
    error_set(error, ERROR_USAGE, "not a line of a configuration");
    error_hint(error, "Lines are \"[section]\", \"key = value\" or a comment that begins with \";\".");
    return error_at(error, config->file, (size_t)line, 0);
}

/* ---- loading ---- */

/* Against folder, without the "./" that people write. */
static char *make_absolute(const char *folder, const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    if (path[0] == '\0' || strcmp(path, ".") == 0)
        return text_copy(folder);
    char *absolute = file_join(folder, path);
    for (size_t length = strlen(absolute); length > 1 && absolute[length - 1] == '/'; length--)
        absolute[length - 1] = '\0';
    return absolute;
}

static bool read_variables(struct config *config, struct error *error)
{
    for (size_t i = 0; config_keys[i].name != NULL; i++) {
        OWNED char *name = config_key_variable(&config_keys[i]);
        const char *value = getenv(name);
        if (value == NULL || *value == '\0')
            continue;
        if (!config_key_check(&config_keys[i], name, value, error))
            return false;
        config->variables[i] = text_copy(value);
    }
    return true;
}

static bool choose_environment(struct config *config, const char *name, struct error *error)
{
    if (name == NULL) {
        name = getenv("PGMIGRATE_ENVIRONMENT");
        if (name == NULL || *name == '\0')
            return true;
    }
    config->environment = text_copy(name);
    if (text_list_contains(&config->environments, name))
        return true;
    if (config->file == NULL) {
        error_set(error, ERROR_USAGE, "unknown environment \"%s\": there is no %s", name, FILE_NAME);
        if (config->unsearched != NULL)
            error_detail(error, "\"%s\" could not be looked for: %s.", config->unsearched, strerror(EACCES));
        return error_hint(error, "Environments are sections such as [environment production] of that file.");
    }
    error_set(error, ERROR_USAGE, "unknown environment \"%s\"", name);
    error_at(error, config->file, 0, 0);
    if (config->environments.count == 0)
        return error_hint(error, "The file has no section [environment NAME].");
    OWNED char *listed = text_list_join(&config->environments, "\", \"");
    return error_hint(error, "There are: \"%s\".", listed);
}

bool config_load(const char *file, const char *environment, struct config **ret, struct error *error)
{
    AUTO(config_free) struct config *config = memory_allocate(1, sizeof *config);

    config->flags = memory_allocate(key_count(), sizeof *config->flags);
    config->variables = memory_allocate(key_count(), sizeof *config->variables);
    config->folder = getcwd(NULL, 0);
    if (config->folder == NULL)
        return error_set(error, ERROR_FAILED, "could not tell the current folder: %s", strerror(errno));
    config->file =
        file == NULL ? file_search(config->folder, FILE_NAME, &config->unsearched) : text_copy(file);
    if (config->file != NULL) {
        OWNED char *folder = file_folder(config->file);
        config->file_folder = make_absolute(config->folder, folder);
        if (!read_settings(config, error))
            return false;
    }
    if (!choose_environment(config, environment, error) || !read_variables(config, error))
        return false;
    *ret = take(config);
    return true;
}

bool config_set_flag(struct config *config, const char *key_name, const char *value, struct error *error)
{
    const struct config_key *key = config_key(key_name);

    if (key == NULL)
        return error_set(error, ERROR_USAGE, "unknown key \"%s\"", key_name);
    OWNED char *shown = text_format("--%s", key->flag);
    if (!config_key_check(key, shown, value, error))
        return false;
    char **flag = &config->flags[key - config_keys];
    char *whole =
        key->type == CONFIG_PATHS && *flag != NULL ? text_format("%s,%s", *flag, value) : text_copy(value);
    free(*flag);
    *flag = whole;
    return true;
}

/* ---- looking up ---- */

enum source { SOURCE_FLAG, SOURCE_VARIABLE, SOURCE_FILE, SOURCE_DEFAULT };

struct found {
    const struct config_key *key;
    const char *value; /* NULL: unset */
    enum source source;
    size_t line;
};

static struct found find(const struct config *config, const char *key_name)
{
    struct found found = {.key = config_key(key_name), .source = SOURCE_DEFAULT};

    if (found.key == NULL)
        return found;
    size_t place = (size_t)(found.key - config_keys);
    const struct setting *setting =
        config->environment == NULL ? NULL : find_setting(config, key_name, config->environment);
    if (setting == NULL)
        setting = find_setting(config, key_name, NULL);
    if (config->flags[place] != NULL) {
        found.source = SOURCE_FLAG;
        found.value = config->flags[place];
    } else if (config->variables[place] != NULL) {
        found.source = SOURCE_VARIABLE;
        found.value = config->variables[place];
    } else if (setting != NULL) {
        found.source = SOURCE_FILE;
        found.value = setting->value;
        found.line = setting->line;
    } else {
        found.value = found.key->default_value;
    }
    if (found.value != NULL && *found.value == '\0')
        found.value = NULL;
    return found;
}

const char *config_text(const struct config *config, const char *key)
{
    return find(config, key).value;
}

bool config_is_set(const struct config *config, const char *key)
{
    struct found found = find(config, key);

    return found.source != SOURCE_DEFAULT && found.value != NULL;
}

bool config_is_emptied(const struct config *config, const char *key)
{
    struct found found = find(config, key);

    return found.source != SOURCE_DEFAULT && found.value == NULL;
}

bool config_bool(const struct config *config, const char *key)
{
    const char *value = config_text(config, key);

    return value != NULL && config_key_bool(value);
}

int64_t config_duration(const struct config *config, const char *key)
{
    struct found found = find(config, key);

    return found.value == NULL ? -1 : config_key_duration(found.key, found.value);
}

int64_t config_integer(const struct config *config, const char *key)
{
    const char *value = config_text(config, key);
    int64_t number = 0;

    return value != NULL && text_parse_integer(value, 0, INT32_MAX, &number) ? number : 0;
}

int64_t config_size(const struct config *config, const char *key)
{
    const char *value = config_text(config, key);
    int64_t bytes = -1;

    return value != NULL && text_parse_size(value, &bytes) ? bytes : -1;
}

struct text_list config_names(const struct config *config, const char *prefix)
{
    struct text_list names = {0};

    for (size_t i = 0; i < config->count; i++) {
        const char *name = config->settings[i].name;
        if (text_starts_with(name, prefix) && config_text(config, name) != NULL &&
            !text_list_contains(&names, name + strlen(prefix)))
            text_list_add(&names, text_copy(name + strlen(prefix)));
    }
    return names;
}

static const char *base_folder(const struct config *config, enum source source)
{
    if (config->file_folder != NULL && (source == SOURCE_FILE || source == SOURCE_DEFAULT))
        return config->file_folder;
    return config->folder;
}

struct text_list config_paths(const struct config *config, const char *key)
{
    struct found found = find(config, key);
    struct text_list paths = text_list_split(found.value, ',');

    for (size_t i = 0; i < paths.count; i++) {
        char *absolute = make_absolute(base_folder(config, found.source), paths.items[i]);
        free(paths.items[i]);
        paths.items[i] = absolute;
    }
    return paths;
}

char *config_path(const struct config *config, const char *key)
{
    struct found found = find(config, key);

    return found.value == NULL ? NULL : make_absolute(base_folder(config, found.source), found.value);
}

const char *config_unsearched(const struct config *config)
{
    return config->unsearched;
}

const char *config_file(const struct config *config)
{
    return config->file;
}

const struct text_list *config_environments(const struct config *config)
{
    return &config->environments;
}

const char *config_environment(const struct config *config)
{
    return config->environment;
}

char *config_origin(const struct config *config, const char *key)
{
    struct found found = find(config, key);

    switch (found.source) {
    case SOURCE_FLAG:
        return text_format("--%s", found.key->flag);
    case SOURCE_VARIABLE:
        return config_key_variable(found.key);
    case SOURCE_FILE:
        return text_format("%s:%zu", config->file, found.line);
    case SOURCE_DEFAULT:
        break;
    }
    return text_copy("default");
}

bool config_database_hidden(const struct config *config)
{
    struct found found = find(config, "database");
    const char *url = getenv("DATABASE_URL");

    return found.source == SOURCE_FILE && found.value != NULL && url != NULL && *url != '\0' &&
           !text_equal(found.value, url) && !text_equal(found.value, "env:DATABASE_URL");
}

/* The value of "env:NAME" is that of the variable; any other one is its own. */
static bool resolve_database(const struct config *config, const char *value, size_t line, const char *origin,
                             char **ret, struct error *error)
{
    const char *name = value != NULL && text_starts_with(value, "env:") ? value + strlen("env:") : NULL;
    const char *found = name == NULL ? value : getenv(name);
    if (name != NULL && (found == NULL || *found == '\0')) {
        error_set(error, ERROR_USAGE, "variable \"%s\" is not set", name);
        error_detail(error, "The database is taken from it: %s says \"%s\".", origin, value);
        return line > 0 ? error_at(error, config->file, line, 0) : false;
    }
    *ret = text_copy(found);
    return true;
}

bool config_database(const struct config *config, char **ret, struct error *error)
{
    struct found found = find(config, "database");
    const char *url = getenv("DATABASE_URL");
    bool insisted = found.source == SOURCE_FLAG || found.source == SOURCE_VARIABLE;
    OWNED char *origin = config_origin(config, "database");

    if (insisted || url == NULL || *url == '\0')
        return resolve_database(config, found.value, found.line, origin, ret, error);
    *ret = text_copy(url);
    return true;
}

bool config_database_of(const struct config *config, const char *environment, char **ret, struct error *error)
{
    const struct setting *setting = find_setting(config, "database", environment);
    OWNED char *origin = setting ? text_format("%s:%zu", config->file, setting->line) : NULL;
    const char *value = setting && *setting->value != '\0' ? setting->value : NULL;
    return resolve_database(config, value, setting ? setting->line : 0, origin, ret, error);
}

bool config_protected_of(const struct config *config, const char *environment)
{
    const struct setting *setting = find_setting(config, "protected", environment);

    return setting != NULL && config_key_bool(setting->value);
}
