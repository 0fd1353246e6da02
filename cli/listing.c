/* SPDX-License-Identifier: PostgreSQL */
#include "cli/listing.h"

#include "cli/document.h"
#include "cli/report.h"

#define FINDINGS_SHOWN 10

static bool has_rollback(const struct plan_entry *entry)
{
    return (entry->row && entry->row->has_rollback) ||
           (entry->migration && migration_has_rollback(entry->migration));
}

json_t *listing_entry(const struct plan_entry *entry)
{
    const struct history_row *row = entry->row;
    const struct migration *migration = entry->migration;
    json_t *object = json_object();

    document_text(object, "version", entry->version);
    document_text(object, "description",
                  migration ? migration->version.description
                  : row     ? row->description
                            : NULL);
    document_text(object, "state", plan_state_name(entry->state));
    document_bool(object, "transactional", row ? row->transactional : !migration->directives.no_transaction);
    document_bool(object, "has_rollback", has_rollback(entry));
    document_text(object, "checksum",
                  row && row->checksum ? row->checksum
                  : migration          ? migration->forward.checksum
                                       : NULL);
    if (row) {
        document_text(object, "applied_at", row->applied_at);
        document_text(object, "applied_by", row->applied_by);
        document_text(object, "backup_id", row->backup_id);
        document_known(object, "execution_ms", row->execution_ms);
        if (history_row_is_half_run(row)) {
            document_known(object, "statements_done", row->statements_done);
            document_known(object, "statements_total", row->statements_total);
        }
    }
    document_text(object, "message", entry->message);
    document_text(object, "hint", entry->hint);
    return object;
}

json_t *listing_counts(const struct plan *plan)
{
    json_t *object = json_object();

    for (size_t i = 0; i < PLAN_STATES; i++)
        document_integer(object, plan_state_name((enum plan_state)i), (int64_t)plan->counts[i]);
    return object;
}

static const char *shape_name(enum history_shape shape)
{
    static const char *const names[] = {[HISTORY_ABSENT] = "absent",
                                        [HISTORY_OURS] = "ours",
                                        [HISTORY_ADOPTABLE] = "adoptable",
                                        [HISTORY_FOREIGN] = "foreign",
                                        [HISTORY_UNUSABLE] = "unusable"};

    return names[shape];
}

void listing_server(json_t *document, const struct postgres *postgres, const struct history *history)
{
    const char *version = postgres_parameter(postgres, "server_version");
    OWNED char *number = text_copy_part(version ? version : "", version ? strcspn(version, " ") : 0);
    OWNED char *table = text_format("%s.%s", history->schema, history->table);
    json_t *object = json_object();

    document_text(document, "database", postgres_database(postgres));
    document_text(document, "server_version", number);
    document_text(object, "table", table);
    document_text(object, "shape", shape_name(history->shape));
    document_text(object, "tool", history->tool);
    json_object_set_new(document, "history", object);
}

char *listing_summary(const struct plan *plan)
{
    static const char *const words[] = {"applied",      "pending",          "changed", "missing",
                                        "out of order", "stopped half way", "running"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const char *before = "";

    for (size_t i = 0; i < PLAN_STATES; i++) {
        if (!plan->counts[i])
            continue;
        fprintf(out, "%s%zu %s", before, plan->counts[i], words[i]);
        before = ", ";
    }
    fputs(*before ? "" : "no migrations", out);
    fclose(out);
    return text;
}

void listing_warn_history(const struct invocation *invocation, const struct history *history)
{
    switch (history->shape) {
    case HISTORY_ABSENT:
        if (history->other_tool)
            report_warning(
                invocation,
                "there is no history yet, but %s has one in \"%s\"\nhint: Mark what it applied with "
                "\"pgmigrate baseline VERSION\".",
                history->other_tool, history->other_table);
        break;
    case HISTORY_ADOPTABLE:
        report_warning(invocation,
                       "table \"%s.%s\" was there first; the next apply adds the columns it lacks%s%s",
                       history->schema, history->table, history->reason ? "\ndetail: " : "",
                       history->reason ? history->reason : "");
        break;
    case HISTORY_FOREIGN:
        report_warning(invocation,
                       "table \"%s.%s\" belongs to %s and is left alone\nhint: Choose another table with "
                       "--history-table, and mark what is applied with \"pgmigrate baseline VERSION\".",
                       history->schema, history->table, history->tool);
        break;
    case HISTORY_UNUSABLE:
        report_warning(invocation, "table \"%s.%s\" cannot hold the history%s%s", history->schema,
                       history->table, history->reason ? "\ndetail: " : "",
                       history->reason ? history->reason : "");
        break;
    case HISTORY_OURS:
        break;
    }
}

void listing_findings(const struct invocation *invocation, const struct findings *findings,
                      const char *without)
{
    bool verbose = invocation->verbosity == VERBOSITY_VERBOSE;
    size_t shown = 0, more = 0;

    if (invocation->verbosity == VERBOSITY_QUIET)
        return;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        if ((finding->severity == SEVERITY_NOTICE && !verbose) || text_equal(finding->rule, without))
            continue;
        if (shown < FINDINGS_SHOWN || verbose) {
            report_finding(stderr, invocation->color, finding);
            shown++;
        } else {
            more++;
        }
    }
    if (more)
        report_warning(invocation,
                       "%zu more warnings\nhint: \"pgmigrate check\" and --verbose show them all.", more);
}
