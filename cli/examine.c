/* SPDX-License-Identifier: PostgreSQL */
#include "cli/examine.h"

#include "cli/connect.h"
#include "cli/listing.h"
#include "cli/report.h"
#include "migrator/session.h"
#include "sql.h"

/* ---- diagnoses ---- */

static struct diagnosis *add(struct diagnoses *diagnoses, const char *check, char *message)
{
    diagnoses->items = memory_grow(diagnoses->items, diagnoses->count, sizeof *diagnoses->items);
    diagnoses->items[diagnoses->count] = (struct diagnosis){.check = check, .message = message};
    return &diagnoses->items[diagnoses->count++];
}

void diagnosis_good(struct diagnoses *diagnoses, const char *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diagnoses, check, text_format_list(format, arguments))->good = true;
    va_end(arguments);
}

struct diagnosis *diagnosis_bad(struct diagnoses *diagnoses, const char *check, enum severity severity,
                                const char *format, ...)
{
    struct diagnosis *diagnosis;
    va_list arguments;

    va_start(arguments, format);
    diagnosis = add(diagnoses, check, text_format_list(format, arguments));
    va_end(arguments);
    diagnosis->severity = severity;
    return diagnosis;
}

void diagnosis_hint(struct diagnosis *diagnosis, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    free(diagnosis->hint);
    diagnosis->hint = text_format_list(format, arguments);
    va_end(arguments);
}

/* Where it is, in front of the message: a table of checks has no other place for it. */
static void tell_place(struct error *error)
{
    OWNED char *path = error->file ? report_path(error->file) : NULL;

    if (!path || strstr(error->message, path))
        return;
    if (error->line)
        error_prefix(error, "%s:%zu", path, error->line);
    else
        error_prefix(error, "%s", path);
}

void diagnosis_error(struct diagnoses *diagnoses, const char *check, struct error *error)
{
    tell_place(error);
    struct diagnosis *diagnosis = add(diagnoses, check, take(error->message));

    diagnosis->severity = SEVERITY_ERROR;
    diagnosis->detail = take(error->detail);
    diagnosis->hint = take(error->hint);
}

void diagnoses_clear(struct diagnoses *diagnoses)
{
    for (size_t i = 0; i < diagnoses->count; i++) {
        free(diagnoses->items[i].message);
        free(diagnoses->items[i].detail);
        free(diagnoses->items[i].hint);
    }
    free(diagnoses->items);
    *diagnoses = (struct diagnoses){0};
}

/* ---- the database ---- */

struct examination {
    const struct invocation *invocation;
    struct postgres *postgres;
    const struct folder *folder; /* NULL where it cannot be read */
    struct history *history;     /* NULL until it is read */
    struct diagnoses *found;
};

/* A query for one check; on failure the check tells the error. */
static struct rows *ask(struct examination *examination, const char *check, const char *sql, size_t count,
                        const char *const values[])
{
    AUTO(error_clear) struct error error = {0};
    struct rows *rows = NULL;

    if (!postgres_query(examination->postgres, sql, count, values, &rows, &error))
        diagnosis_error(examination->found, check, &error);
    return rows;
}

static void examine_server(struct examination *examination)
{
    AUTO(error_clear) struct error error = {0};
    const struct config *config = examination->invocation->config;
    const char *version = postgres_parameter(examination->postgres, "server_version");
    OWNED char *target = connect_target(examination->postgres);

    if (session_check(examination->postgres, false, text_equal(config_text(config, "pooler"), "session"),
                      &error))
        diagnosis_good(examination->found, "server", "PostgreSQL %s, %s, can be written to", version, target);
    else
        diagnosis_error(examination->found, "server", &error);
}

static void examine_encoding(struct examination *examination)
{
    const char *encoding = postgres_parameter(examination->postgres, "server_encoding");

    if (text_equal(encoding, "UTF8")) {
        diagnosis_good(examination->found, "encoding", "the database is UTF8");
        return;
    }
    diagnosis_hint(diagnosis_bad(examination->found, "encoding", SEVERITY_WARNING, "the database is %s",
                                 encoding ? encoding : "?"),
                   "Scripts are UTF-8; characters that the database's encoding lacks make them fail.");
}

static void examine_role(struct examination *examination)
{
    const char *role = config_text(examination->invocation->config, "role");
    AUTO(rows_free) struct rows *rows = NULL;

    if (!role || !*role)
        return;
    rows = ask(examination, "role", sql_doctor_role, 1, (const char *const[]){role});
    if (!rows)
        return;
    if (!rows_bool(rows, 0, "known"))
        diagnosis_hint(
            diagnosis_bad(examination->found, "role", SEVERITY_ERROR, "role \"%s\" does not exist", role),
            "Create it, or change the setting \"role\".");
    else if (!rows_bool(rows, 0, "allowed")) {
        OWNED char *quoted = postgres_quote_name(role);
        OWNED char *user = postgres_quote_name(postgres_user(examination->postgres));
        diagnosis_hint(diagnosis_bad(examination->found, "role", SEVERITY_ERROR,
                                     "\"%s\" may not become role \"%s\"",
                                     postgres_user(examination->postgres), role),
                       "GRANT %s TO %s", quoted, user);
    } else
        diagnosis_good(examination->found, "role", "migrations run as \"%s\"", role);
}

static void examine_settings(struct examination *examination)
{
    AUTO(rows_free) struct rows *rows = ask(examination, "timeouts", sql_doctor_settings, 0, NULL);
    OWNED char *list = NULL;
    size_t size;
    FILE *out;

    if (!rows)
        return;
    out = open_memstream(&list, &size);
    for (size_t i = 0; i < rows_count(rows); i++)
        fprintf(out, "%s%s = %s (%s)", i ? ", " : "", rows_text(rows, i, "name"), rows_text(rows, i, "value"),
                rows_text(rows, i, "source"));
    fclose(out);
    if (rows_count(rows))
        diagnosis_good(examination->found, "timeouts", "replaced by pgmigrate's own during runs: %s", list);
    else
        diagnosis_good(examination->found, "timeouts", "none set for this role and database");
}

static void examine_transactions(struct examination *examination)
{
    AUTO(rows_free) struct rows *rows = ask(examination, "transactions", sql_doctor_transactions, 0, NULL);
    AUTO(rows_free) struct rows *others = ask(examination, "transactions", sql_doctor_hidden, 0, NULL);
    int64_t hidden = others ? rows_integer(others, 0, "hidden") : 0;
    OWNED char *role = postgres_quote_name(postgres_user(examination->postgres));

    if (hidden)
        diagnosis_hint(diagnosis_bad(examination->found, "transactions", SEVERITY_WARNING,
                                     "\"%s\" cannot see those of %lld session%s of other users",
                                     postgres_user(examination->postgres), (long long)hidden,
                                     hidden == 1 ? "" : "s"),
                       "GRANT pg_read_all_stats TO %s", role);
    else if (rows && others && !rows_count(rows))
        diagnosis_good(examination->found, "transactions", "none has been open for five minutes");
    for (size_t i = 0; rows && i < rows_count(rows); i++) {
        OWNED char *age = text_duration(rows_integer(rows, i, "seconds") * 1000);
        const char *application = rows_text(rows, i, "application"), *user = rows_text(rows, i, "user");

        diagnosis_hint(diagnosis_bad(examination->found, "transactions", SEVERITY_WARNING,
                                     "pid %s (%s, user %s) has had a transaction open for %s",
                                     rows_text(rows, i, "pid"), application ? application : "?",
                                     user ? user : "?", age),
                       "Migrations wait for the locks it holds; see what it does before you apply.");
    }
}

static void examine_indexes(struct examination *examination)
{
    AUTO(rows_free) struct rows *rows = ask(examination, "indexes", sql_doctor_indexes, 0, NULL);

    if (rows && !rows_count(rows))
        diagnosis_good(examination->found, "indexes", "none is invalid");
    for (size_t i = 0; rows && i < rows_count(rows); i++)
        diagnosis_hint(diagnosis_bad(examination->found, "indexes", SEVERITY_WARNING, "index %s is invalid",
                                     rows_text(rows, i, "name")),
                       "A CREATE INDEX CONCURRENTLY was cut off; drop the index or REINDEX it.");
}

/* Of the role that migrations run as, which the history was looked at as. */
static void examine_permissions(struct examination *examination)
{
    const struct history *history = examination->history;
    const struct history_rights *may = &history->may;
    const char *user = history->role;
    bool writes = may->insert && may->change && (may->log || !history->has_log);
    OWNED char *schema = postgres_quote_name(history->schema), *table = postgres_quote_name(history->table);
    OWNED char *log = postgres_quote_name(history->log), *role = postgres_quote_name(user);

    if (!history->has_schema && !may->create)
        diagnosis_hint(diagnosis_bad(examination->found, "permissions", SEVERITY_ERROR,
                                     "schema \"%s\" does not exist and \"%s\" may not create it",
                                     history->schema, user),
                       "CREATE SCHEMA %s AUTHORIZATION %s", schema, role);
    else if (history->shape == HISTORY_ADOPTABLE && !may->alter)
        diagnosis_hint(diagnosis_bad(examination->found, "permissions", SEVERITY_ERROR,
                                     "\"%s\" may not add the columns that the history table lacks", user),
                       "Run as the table's owner with --role, or: ALTER TABLE %s.%s OWNER TO %s", schema,
                       table, role);
    else if (history->oid && !writes)
        diagnosis_hint(
            diagnosis_bad(examination->found, "permissions", SEVERITY_ERROR,
                          "\"%s\" may not write the history", user),
            "GRANT SELECT, INSERT, UPDATE, DELETE ON %s.%s TO %s; GRANT SELECT, INSERT ON %s.%s TO %s",
            schema, table, role, schema, log, role);
    else if (!(history->oid && history->has_log) && !may->create)
        diagnosis_hint(diagnosis_bad(examination->found, "permissions", SEVERITY_ERROR,
                                     "\"%s\" may not create tables in schema \"%s\"", user, history->schema),
                       "GRANT USAGE, CREATE ON SCHEMA %s TO %s", schema, role);
    else
        diagnosis_good(examination->found, "permissions", "\"%s\" may %swrite the history", user,
                       may->create ? "create and " : "");
}

static void examine_history(struct examination *examination)
{
    const struct history *history = examination->history;
    const char *schema = history->schema, *table = history->table;

    switch (history->shape) {
    case HISTORY_OURS:
        diagnosis_good(examination->found, "history", "\"%s.%s\" has %zu row%s", schema, table,
                       history->count, history->count == 1 ? "" : "s");
        break;
    case HISTORY_ABSENT:
        if (history->other_tool)
            diagnosis_hint(diagnosis_bad(examination->found, "history", SEVERITY_WARNING,
                                         "%s keeps a history in \"%s\"", history->other_tool,
                                         history->other_table),
                           "Mark what it applied with \"pgmigrate baseline VERSION\".");
        else
            diagnosis_good(examination->found, "history", "\"%s.%s\" is created by the first apply", schema,
                           table);
        break;
    case HISTORY_ADOPTABLE:
        diagnosis_good(examination->found, "history",
                       "\"%s.%s\" was there first; the next apply adds columns", schema, table);
        break;
    case HISTORY_FOREIGN:
        diagnosis_hint(
            diagnosis_bad(examination->found, "history", SEVERITY_ERROR, "\"%s.%s\" belongs to %s", schema,
                          table, history->tool),
            "Choose another --history-table and mark what is applied with \"pgmigrate baseline VERSION\".");
        break;
    case HISTORY_UNUSABLE:
        diagnosis_bad(examination->found, "history", SEVERITY_ERROR, "\"%s.%s\" cannot hold the history: %s",
                      schema, table, history->reason ? history->reason : "");
        break;
    }
}

static void examine_lock(struct examination *examination, const char *holder)
{
    if (holder)
        diagnosis_hint(
            diagnosis_bad(examination->found, "run lock", SEVERITY_WARNING, "it is held by %s", holder),
            "apply waits for it; a session that hangs can be ended with pg_terminate_backend().");
    else
        diagnosis_good(examination->found, "run lock", "it is free");
}

static void examine_state(struct examination *examination, bool lock_held)
{
    AUTO(error_clear) struct error error = {0};
    AUTO(plan_free) struct plan *plan = NULL;
    AUTO(plan_steps_clear) struct plan_steps steps = {0};
    OWNED char *summary = NULL;

    if (!examination->folder)
        return;
    if (!plan_make(examination->folder, examination->history, &(struct plan_options){.lock_held = lock_held},
                   &plan, &error)) {
        diagnosis_error(examination->found, "migrations", &error);
        return;
    }
    summary = listing_summary(plan);
    if (plan->counts[PLAN_CHANGED] + plan->counts[PLAN_MISSING] + plan->counts[PLAN_OUT_OF_ORDER] +
        plan->counts[PLAN_FAILED])
        diagnosis_hint(diagnosis_bad(examination->found, "migrations", SEVERITY_ERROR, "%s", summary),
                       "\"pgmigrate status\" says which, and what to do.");
    else if (!plan_steps(plan, examination->folder, examination->history, &(struct plan_target){0}, &steps,
                         &error) &&
             error.code == ERROR_USAGE) /* a conflict is one of history, which is told already */
        diagnosis_error(examination->found, "migrations", &error);
    else
        diagnosis_good(examination->found, "migrations", "%s", summary);
}

void examine_database(const struct invocation *invocation, struct postgres *postgres,
                      const struct folder *folder, struct diagnoses *diagnoses)
{
    struct examination examination = {
        .invocation = invocation, .postgres = postgres, .folder = folder, .found = diagnoses};
    AUTO(error_clear) struct error error = {0};
    AUTO(history_free) struct history *history = NULL;
    OWNED char *holder = NULL;

    examine_server(&examination);
    examine_encoding(&examination);
    examine_role(&examination);
    examine_settings(&examination);
    examine_transactions(&examination);
    examine_indexes(&examination);
    if (!connect_history(invocation, postgres, &history, &error) ||
        !session_lock_holder(postgres, history, &holder, &error)) {
        diagnosis_error(diagnoses, "history", &error);
        return;
    }
    examination.history = history;
    examine_history(&examination);
    examine_permissions(&examination);
    examine_lock(&examination, holder);
    examine_state(&examination, holder != NULL);
}
