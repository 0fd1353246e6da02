/* SPDX-License-Identifier: PostgreSQL */
#include "migrator/shape.h"

/* ---- our own columns ---- */

const struct own_column own_columns[] = {
    {"version", COLUMN_TEXT, true},
    {"description", COLUMN_TEXT, true},
    {"applied_at", COLUMN_TIME, true},
    {"applied_by", COLUMN_TEXT, true},
    {"execution_ms", COLUMN_INTEGER, false},
    {"state", COLUMN_TEXT, true},
    {"transactional", COLUMN_BOOL, true},
    {"out_of_order", COLUMN_BOOL, true},
    {"sequence", COLUMN_INTEGER, true},
    {"statements_done", COLUMN_INTEGER, false},
    {"statements_total", COLUMN_INTEGER, false},
    {"statement_started", COLUMN_INTEGER, false},
    {"tool_version", COLUMN_TEXT, false},
    {"git_commit", COLUMN_TEXT, false},
    {"backup_id", COLUMN_TEXT, false},
    {"run_id", COLUMN_TEXT, false},
    {"file_name", COLUMN_TEXT, false},
    {"checksum_version", COLUMN_INTEGER, false},
    {"checksum", COLUMN_TEXT, false},
    {"rollback_checksum", COLUMN_TEXT, false},
    {"statement_hashes", COLUMN_TEXTS, false},
    {"forward_text", COLUMN_TEXT, false},
    {"rollback_text", COLUMN_TEXT, false},
    {NULL, COLUMN_OTHER, false},
};

static bool is_own_column(const char *name)
{
    for (const struct own_column *own = own_columns; own->name != NULL; own++)
        if (strcmp(own->name, name) == 0)
            return true;
    return false;
}

struct type_name {
    const char *name;
    enum column_type type;
};

static const struct type_name type_names[] = {
    {"text", COLUMN_TEXT},
    {"character varying", COLUMN_TEXT},
    {"character", COLUMN_TEXT},
    {"bigint", COLUMN_INTEGER},
    {"integer", COLUMN_INTEGER},
    {"boolean", COLUMN_BOOL},
    {"timestamp with time zone", COLUMN_TIME},
    {"timestamp without time zone", COLUMN_TIME},
    {"date", COLUMN_TIME},
    {"text[]", COLUMN_TEXTS},
};

enum column_type column_type(const char *type_name)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (strcmp(type_names[i].name, type_name) == 0)
            return type_names[i].type;
    return COLUMN_OTHER;
}

const struct table_column *table_column(const struct table_look *look, const char *name)
{
    for (size_t i = 0; i < look->count; i++)
        if (strcmp(look->columns[i].name, name) == 0)
            return &look->columns[i];
    return NULL;
}

void table_look_clear(struct table_look *look)
{
    for (size_t i = 0; i < look->count; i++) {
        free(look->columns[i].name);
        free(look->columns[i].type_name);
        free(look->columns[i].dependent);
        free(look->columns[i].check);
    }
    free(look->columns);
    free(look->role);
    free(look->oid);
    free(look->rule);
    *look = (struct table_look){0};
}

/* ---- other tools' tables ---- */

enum version_kind { VERSION_ANY, VERSION_INTEGER, VERSION_TEXT };

/*
 * schema NULL: the tool puts its table anywhere, and the name is telling enough. Tables with a common name
 * count only in the schema where the tool puts them by default: platforms keep histories of their own in
 * schemas of their own. by_name: the columns alone could be anybody's.
 */
struct tool {
    const char *name;
    const char *schema, *table;
    const char *columns; /* alphabetical */
    bool exact;          /* these and no others */
    enum version_kind version;
    bool beside_rails, by_name;
};

static const struct tool tools[] = {
    {"golang-migrate", "public", "schema_migrations", "dirty version", true, VERSION_INTEGER, false, false},
    {"Rails", "public", "schema_migrations", "version", true, VERSION_TEXT, true, false},
    {"dbmate", "public", "schema_migrations", "version", true, VERSION_TEXT, false, false},
    {"Ecto", "public", "schema_migrations", "inserted_at version", true, VERSION_INTEGER, false, false},
    {"Supabase", "supabase_migrations", "schema_migrations", "name statements version", false, VERSION_ANY,
     false, false},
    {"Flyway", NULL, "flyway_schema_history",
     "checksum description execution_time installed_by installed_on installed_rank script success type "
     "version",
     false, VERSION_ANY, false, false},
    {"Flyway", NULL, "schema_version", /* before 5.0 */
     "checksum description execution_time installed_by installed_on installed_rank script success type "
     "version",
     false, VERSION_ANY, false, false},
    {"sqlx", NULL, "_sqlx_migrations", "checksum description execution_time installed_on success version",
     true, VERSION_INTEGER, false, false},
    {"goose", NULL, "goose_db_version", "id is_applied tstamp version_id", true, VERSION_ANY, false, false},
    {"tern", "public", "schema_version", "version", true, VERSION_INTEGER, false, false},
    {"yandex-pgmigrate", "public", "schema_version", "description installed_by installed_on type version",
     true, VERSION_ANY, false, false},
    {"graphile-migrate", "graphile_migrate", "migrations", "date filename hash previous_hash", false,
     VERSION_ANY, false, false},
    {"Sqitch", NULL, "changes", "change change_id committed_at planned_at planner_name project", false,
     VERSION_ANY, false, false},
    {"Liquibase", NULL, "databasechangelog", "author dateexecuted exectype filename id md5sum orderexecuted",
     false, VERSION_ANY, false, false},
    {"node-pg-migrate", NULL, "pgmigrations", "id name run_on", true, VERSION_ANY, false, false},
    {"Prisma", NULL, "_prisma_migrations",
     "applied_steps_count checksum finished_at migration_name rolled_back_at started_at", false, VERSION_ANY,
     false, false},
    {"refinery", NULL, "refinery_schema_history", "applied_on checksum name version", true, VERSION_INTEGER,
     false, false},
    {"Atlas", NULL, "atlas_schema_revisions", "executed_at hash operator_version partial_hashes version",
     false, VERSION_ANY, false, false},
    {"Alembic", NULL, "alembic_version", "version_num", true, VERSION_ANY, false, false},
    {"Diesel", NULL, "__diesel_schema_migrations", "run_on version", true, VERSION_ANY, false, true},
    {"Django", NULL, "django_migrations", "app applied id name", true, VERSION_ANY, false, false},
    {"pgroll", NULL, "migrations", "done migration name parent resulting_schema schema", false, VERSION_ANY,
     false, false},
    {"peterldowns-pgmigrate", NULL, "pgmigrate_migrations", "applied_at checksum execution_time_in_millis id",
     true, VERSION_ANY, false, false},
    {"Knex", NULL, "knex_migrations", "batch id migration_time name", true, VERSION_ANY, false, false},
    {"TypeORM", "public", "migrations", "id name timestamp", true, VERSION_ANY, false, false},
    {"Sequelize", NULL, "SequelizeMeta", "name", true, VERSION_ANY, false, true},
    {"Laravel", "public", "migrations", "batch migration", false, VERSION_ANY, false, false},
};
#define TOOL_COUNT (sizeof tools / sizeof tools[0])

/* Whether list, words separated by blanks, has the word. */
static bool has_word(const char *list, const char *word, size_t length)
{
    for (const char *at = list; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (size == length && memcmp(at, word, length) == 0)
            return true;
        at += size;
        at += strspn(at, " ");
    }
    return false;
}

static bool has_all_words(const char *list, const char *words)
{
    for (const char *at = words; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (!has_word(list, at, size))
            return false;
        at += size;
        at += strspn(at, " ");
    }
    return true;
}

static bool version_fits(enum version_kind kind, const char *type_name)
{
    if (kind == VERSION_ANY)
        return true;
    enum column_type type = type_name == NULL ? COLUMN_OTHER : column_type(type_name);
    return type == (kind == VERSION_INTEGER ? COLUMN_INTEGER : COLUMN_TEXT);
}

static bool is_table_of(const struct tool *tool, const struct tool_table *table)
{
    if (table->table != NULL) {
        if (strcmp(tool->table, table->table) != 0)
            return false;
        if (tool->schema != NULL && !text_equal(tool->schema, table->schema))
            return false;
    } else if (tool->by_name) {
        return false;
    }
    bool columns = tool->exact ? strcmp(tool->columns, table->columns) == 0
                               : has_all_words(table->columns, tool->columns);
    return columns && version_fits(tool->version, table->version_type) &&
           (!tool->beside_rails || table->beside_rails);
}

const char *tool_of_table(const struct tool_table *table)
{
    for (size_t i = 0; i < TOOL_COUNT; i++)
        if (is_table_of(&tools[i], table))
            return tools[i].name;
    return NULL;
}

char *tool_table_names(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < TOOL_COUNT; i++)
        fprintf(stream, "%c%s", i == 0 ? '{' : ',', tools[i].table);
    fputc('}', stream);
    fclose(stream);
    return text;
}

/* ---- the verdict ---- */

void table_verdict_clear(struct table_verdict *verdict)
{
    free(take(verdict->reason));
}

static struct table_verdict unusable(char *reason)
{
    return (struct table_verdict){.shape = HISTORY_UNUSABLE, .reason = reason};
}

static const char *kind_name(char kind)
{
    switch (kind) {
    case 'u':
        return "an unlogged table, which a crash of the server empties";
    case 'v':
        return "a view";
    case 'm':
        return "a materialized view";
    case 'f':
        return "a foreign table";
    case 'p':
        return "a partitioned table";
    case 'S':
        return "a sequence";
    case 'i':
    case 'I':
        return "an index";
    default:
        return "a type";
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct table_column *const *)a)->name,
                  (*(const struct table_column *const *)b)->name);
}

static char *sorted_columns(const struct table_look *look)
{
    OWNED const struct table_column **sorted = memory_allocate(look->count + 1, sizeof *sorted);
    for (size_t i = 0; i < look->count; i++)
        sorted[i] = &look->columns[i];
    qsort(sorted, look->count, sizeof *sorted, compare_names);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < look->count; i++)
        fprintf(stream, "%s%s", i == 0 ? "" : " ", sorted[i]->name);
    fclose(stream);
    return text;
}

static const char *tool_of_look(const struct table_look *look)
{
    OWNED char *columns = sorted_columns(look);
    const struct table_column *version = table_column(look, "version");
    struct tool_table table = {.columns = columns,
                               .version_type = version == NULL ? NULL : version->type_name,
                               .beside_rails = look->beside_rails};
    return tool_of_table(&table);
}

/* Columns that hold the time of application under the names people choose; any other time column comes after
 * them. */
static const char *time_column(const struct table_look *look)
{
    static const char *const names[] = {"applied_at", "executed_at", "applied_on", "installed_on", "run_on",
                                        "run_at",     "migrated_at", "created_at", "inserted_at",  NULL};
    for (size_t i = 0; names[i] != NULL; i++) {
        const struct table_column *column = table_column(look, names[i]);
        if (column != NULL && column->type == COLUMN_TIME)
            return column->name;
    }
    for (size_t i = 0; i < look->count; i++)
        if (look->columns[i].type == COLUMN_TIME)
            return look->columns[i].name;
    return NULL;
}

/* What makes the table impossible to write our rows into; NULL when nothing does. */
static char *obstacle(const struct table_look *look, const char *time)
{
    const struct table_column *version = table_column(look, "version");
    if (version == NULL)
        return text_format("It has no column \"version\".");
    if (version->type != COLUMN_TEXT)
        return text_format(
            "Its column \"version\" is of type %s, where stems such as \"042_add_orders\" do not fit.",
            version->type_name);
    if (time == NULL)
        return text_format("It has no column with the time of application.");
    for (size_t i = 0; i < look->count; i++) {
        const struct table_column *column = &look->columns[i];
        bool filled = !column->not_null || column->has_default || is_own_column(column->name) ||
                      strcmp(column->name, time) == 0;
        if (!filled)
            return text_format("Its column \"%s\" must not be null and has no default.", column->name);
    }
    for (const struct own_column *own = own_columns; own->name != NULL; own++) {
        const struct table_column *column = table_column(look, own->name);
        if (column != NULL && column->type != own->type)
            return text_format("Its column \"%s\" is of type %s, which is not what is kept there.", own->name,
                               column->type_name);
    }
    const struct table_column *sequence = table_column(look, "sequence");
    if (sequence != NULL && !sequence->has_default)
        return text_format("Its column \"sequence\" has no default.");
    return NULL;
}

/* Whoever has limited the states of his table to those he knew did not know ours. */
static char *limited_states(const struct table_look *look)
{
    const struct table_column *state = table_column(look, "state");
    if (state == NULL || state->check == NULL)
        return NULL;
    return text_format("Its column \"state\" has the constraint \"%s\".", state->check);
}

/* What the server refuses when our columns are brought into shape, or at ON CONFLICT (version), so that the
 * table can only be read; NULL when nothing is. */
static char *refusal(const struct table_look *look)
{
    if (look->rule != NULL)
        return text_format("It has the rule \"%s\".", look->rule);
    if (table_column(look, "version")->deferrable)
        return text_format("The constraint that makes its column \"version\" unique is deferrable.");
    for (const struct own_column *own = own_columns; own->name != NULL; own++) {
        const struct table_column *column = table_column(look, own->name);
        if (column != NULL && column->fixed)
            return text_format("Its column \"%s\" is generated always, and nothing else can be kept there.",
                               own->name);
        if (column != NULL && column->limited && column->dependent != NULL)
            return text_format(
                "Its column \"%s\" is too short, and cannot be changed while %s depends on it.", own->name,
                column->dependent);
    }
    return NULL;
}

/* What there is to do before the table is ours; NULL when nothing is. */
static char *shortcoming(const struct table_look *look)
{
    size_t missing = 0;
    const char *first = NULL;
    for (const struct own_column *own = own_columns; own->name != NULL; own++) {
        const struct table_column *column = table_column(look, own->name);
        if (column == NULL && missing++ == 0)
            first = own->name;
        if (column != NULL && column->limited)
            return text_format("Its column \"%s\" is too short.", own->name);
        if (column != NULL && column->not_null && !own->may_be_required)
            return text_format("Its column \"%s\" must not be null.", own->name);
    }
    if (missing == 1)
        return text_format("It lacks the column \"%s\".", first);
    if (missing > 1)
        return text_format("It lacks %zu columns, the first is \"%s\".", missing, first);
    if (!table_column(look, "version")->unique)
        return text_format("Its column \"version\" is not unique.");
    return look->has_log ? NULL : text_format("Its log is missing.");
}

struct table_verdict table_judge(const struct table_look *look)
{
    if (look->foreign_log)
        return unusable(
            text_format("What has the name of its log, with \"_log\" behind it, is something else."));
    if (look->oid == NULL)
        return (struct table_verdict){.shape = HISTORY_ABSENT};
    if (look->kind != 'r')
        return unusable(text_format("It is %s.", kind_name(look->kind)));
    const char *tool = tool_of_look(look);
    if (tool != NULL)
        return (struct table_verdict){.shape = HISTORY_FOREIGN, .tool = tool};
    if (look->hidden)
        return unusable(text_format("Row-level security hides rows of it from this role."));
    const char *time = time_column(look);
    char *reason = obstacle(look, time);
    if (reason != NULL)
        return unusable(reason);
    OWNED char *lacks = shortcoming(look);
    reason = refusal(look);
    if (reason == NULL && lacks != NULL)
        reason = limited_states(look);
    if (reason != NULL)
        return (struct table_verdict){.shape = HISTORY_UNUSABLE, .reason = reason, .time_column = time};
    if (lacks == NULL)
        return (struct table_verdict){.shape = HISTORY_OURS};
    return (struct table_verdict){.shape = HISTORY_ADOPTABLE, .reason = take(lacks), .time_column = time};
}
