/* SPDX-License-Identifier: PostgreSQL */
#include "cli/rehearsal_html.h"

#include "cli/rehearsal_words.h"
#include "cli/report.h"
#include "common/embedded.h"
#include "deploy/lock_mode.h"
#include <string.h>

/* Of a long script, only what takes at least 1/SHARE_SHOWN of its time. */
#define STATEMENTS_SHOWN 100
#define SHARE_SHOWN      1000

struct page {
    FILE *out;
    const struct rehearsal *rehearsal;
};

/* ---- text ---- */

/* For elements and attributes. What HTML has no place for, even escaped, becomes a blank. */
static void put_text(FILE *out, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc((unsigned char)*text < ' ' && *text != '\n' && *text != '\t' ? ' ' : *text, out);
        }
    }
}

/* An element with text, or nothing where there is none. class may be NULL. */
static void put(FILE *out, const char *element, const char *class, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    fprintf(out, "<%s class=\"%s\">", element, class == NULL ? "" : class);
    put_text(out, text);
    fprintf(out, "</%s>\n", element);
}

/* The same with a text that is made for it. */
static void put_made(FILE *out, const char *element, const char *class, char *owned)
{
    OWNED char *text = owned;
    put(out, element, class, text);
}

static char *exact_duration(int64_t us)
{
    return us > 0 && us < 1000 ? text_copy("under 1 ms") : text_duration(us / 1000);
}

/* ---- head ---- */

static void put_head(const struct page *page)
{
    OWNED char *count = rehearsal_count_words(page->rehearsal);
    const char *verdict = page->rehearsal->passed ? "passed" : "failed";

    fprintf(page->out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "style-src 'unsafe-inline'; img-src data:\">\n"
            "<link rel=\"icon\" href=\"data:,\">\n<title>Rehearsal of %s: %s</title>\n<style>\n%s</style>\n"
            "</head>\n<body>\n<header>\n<h1>Rehearsal of %s <span class=\"verdict %s\">%s</span></h1>\n",
            count, verdict, report_files[0].text, count, page->rehearsal->passed ? "good" : "bad", verdict);
    OWNED char *where = rehearsal_where_words(page->rehearsal);
    OWNED char *when = report_time(page->rehearsal->began_at);
    put_made(page->out, "p", NULL, text_format("%s UTC, on %s", when, where));
    fputs("</header>\n<main>\n", page->out);
}

static void put_fact(FILE *out, const char *name, const char *class, const char *value)
{
    if (value == NULL)
        return;
    fputs("<div>", out);
    put(out, "dt", NULL, name);
    put(out, "dd", class, value);
    fputs("</div>\n", out);
}

static void put_facts(const struct page *page)
{
    const struct rehearsal *rehearsal = page->rehearsal;
    OWNED char *took = text_duration(rehearsal_ms(rehearsal)), *lock = rehearsal_lock_words(rehearsal);
    int64_t low, high;

    rehearsal_estimate(rehearsal, &low, &high);
    OWNED char *estimate = rehearsed_estimate_words(low, high);
    fputs("<dl class=\"facts\">\n", page->out);
    put_fact(page->out, "Time here", NULL, took);
    put_fact(page->out, "Expected at the target", low < 0 ? "warn" : NULL, estimate);
    put_fact(page->out, "Worst lock", NULL, lock == NULL ? "no lock is felt" : lock);
    put_fact(page->out, "Advice", rehearsal->window ? "warn" : "good", rehearsal->advice);
    fputs("</dl>\n", page->out);
}

/* ---- one line each ---- */

/* A bar from begin to end of a track that is total long. */
static void put_bar(FILE *out, const char *class, double begin, double end, double total)
{
    double left = total > 0 ? begin / total * 100 : 0, width = total > 0 ? (end - begin) / total * 100 : 0;

    if (left + width > 100)
        width = 100 - left;
    fprintf(out,
            "<div class=\"track\"><span class=\"bar %s\" style=\"left:%.2f%%;width:%.2f%%\"></span></div>\n",
            class, left, width > 0 ? width : 0);
}

static const char *round_trip_class(enum round_trip result)
{
    return result == ROUND_TRIP_EXACT                                     ? "good"
           : result == ROUND_TRIP_FAILS                                   ? "bad"
           : result == ROUND_TRIP_DIFFERS || result == ROUND_TRIP_MISSING ? "warn"
                                                                          : "quiet";
}

static void put_cell(FILE *out, const char *label, const char *class, const char *text)
{
    fprintf(out, "<td data-label=\"%s\"><span class=\"%s\">", label, class);
    put_text(out, text);
    fputs("</span></td>\n", out);
}

static void put_line(const struct page *page, size_t at, int64_t longest)
{
    const struct rehearsed *item = &page->rehearsal->items[at];
    OWNED char *took = item->execution_ms < 0 ? text_copy("not reached") : text_duration(item->execution_ms);
    OWNED char *lock = rehearsed_lock_words(item);
    OWNED char *estimate = rehearsed_estimate_words(item->low_ms, item->high_ms);

    fprintf(page->out, "<tr><td><a href=\"#m%zu\"%s>", at + 1, item->passed ? "" : " class=\"bad\"");
    put_text(page->out, item->version);
    fputs("</a></td>\n<td class=\"share\">", page->out);
    if (item->execution_ms >= 0)
        put_bar(page->out, "time", 0, (double)item->execution_ms, (double)longest);
    fputs("</td>\n", page->out);
    put_cell(page->out, "Time here", "", took);
    put_cell(page->out, "At the target", item->low_ms < 0 ? "quiet" : "", estimate);
    put_cell(page->out, "Worst lock", lock == NULL ? "quiet" : "", lock == NULL ? "no lock is felt" : lock);
    put_cell(page->out, "Rollback", round_trip_class(item->round_trip), round_trip_name(item->round_trip));
    fputs("</tr>\n", page->out);
}

static void put_overview(const struct page *page)
{
    int64_t longest = 0;

    for (size_t i = 0; i < page->rehearsal->count; i++)
        if (page->rehearsal->items[i].execution_ms > longest)
            longest = page->rehearsal->items[i].execution_ms;
    fputs("<table>\n<thead><tr><th>Migration</th><th></th><th>Time here</th><th>At the target</th>"
          "<th>Worst lock</th><th>Rollback</th></tr></thead>\n<tbody>\n",
          page->out);
    for (size_t i = 0; i < page->rehearsal->count; i++)
        put_line(page, i, longest);
    fputs("</tbody>\n</table>\n", page->out);
}

static void put_legend(FILE *out)
{
    static const struct {
        const char *class, *name;
    } entries[] = {{"rewrite", "rewrites a table"},         {"index", "builds an index"},
                   {"scan", "reads a table under a lock"},  {"dml", "changes rows"},
                   {"metadata", "the catalogs only"},       {"other", "other"},
                   {"exclusive", "nobody reads or writes"}, {"lock", "other locks"}};

    fputs("<ul class=\"legend\">\n", out);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        fprintf(out, "<li><span class=\"bar %s\"></span>%s</li>\n", entries[i].class, entries[i].name);
    fputs("</ul>\n", out);
}

/* ---- the timeline ---- */

static const char *class_of(enum statement_class class)
{
    static const char *const names[] = {
        [CLASS_REWRITE] = "rewrite", [CLASS_INDEX_BUILD] = "index", [CLASS_SCAN] = "scan",
        [CLASS_DML] = "dml",         [CLASS_METADATA] = "metadata", [CLASS_OTHER] = "other"};
    return names[class];
}

/* "rewrite, 12.1 s, of it 1.0 s waiting for locks, 1200 rows, WAL 400.0 MB" */
static char *measured_words(const struct rehearsed_statement *statement)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    OWNED char *took = exact_duration(statement->us), *waited = exact_duration(statement->lock_wait_us);
    OWNED char *wal = text_size(statement->wal_bytes), *temp = text_size(statement->temp_bytes);
    OWNED char *estimate = rehearsed_estimate_words(statement->low_ms, statement->high_ms);

    fprintf(out, "%s, %s", statement_class_name(statement->class), took);
    if (statement->lock_wait_us > 0)
        fprintf(out, ", of it %s waiting for locks", waited);
    if (statement->rows > 0)
        fprintf(out, ", %lld row%s", (long long)statement->rows, statement->rows == 1 ? "" : "s");
    if (statement->wal_bytes > 0)
        fprintf(out, ", WAL %s", wal);
    if (statement->temp_bytes > 0)
        fprintf(out, ", temporary files %s", temp);
    if (statement->under_exclusive)
        fputs(", while ACCESS EXCLUSIVE is held", out);
    for (size_t i = 0; i < statement->phases.count; i++)
        fprintf(out, ", %s", statement->phases.items[i]);
    if (statement->basis != NULL)
        fprintf(out, "; at the target: %s (%s)", estimate, statement->basis);
    fclose(out);
    return text;
}

static void put_lock(FILE *out, const struct held_lock *lock, int64_t began_us, int64_t total_us)
{
    enum lock_mode mode = lock_mode_of(lock->mode);
    int64_t from = began_us + (lock->wait_us > 0 ? lock->wait_us : 0);
    OWNED char *held = exact_duration(lock->held_us);

    if (mode <= LOCK_ROW_EXCLUSIVE) /* what applications take themselves */
        return;
    fputs("<div class=\"row held\">\n", out);
    put_made(out, "div", "label quiet",
             text_format("%s on %s, %s", lock_mode_words(mode), lock->relation, held));
    put_bar(out, mode == LOCK_ACCESS_EXCLUSIVE ? "exclusive" : "lock", (double)from,
            (double)(from + lock->held_us), (double)total_us);
    fputs("</div>\n", out);
}

static void put_statement(FILE *out, const struct rehearsed_statement *statement, int64_t began_us,
                          int64_t total_us)
{
    fputs("<div class=\"row\">\n<div class=\"label\"><code>", out);
    fprintf(out, "%zu: ", statement->line);
    put_text(out, statement->text);
    fputs("</code>\n", out);
    put_made(out, "div", "detail", measured_words(statement));
    fputs("</div>\n", out);
    put_bar(out, class_of(statement->class), (double)began_us, (double)(began_us + statement->us),
            (double)total_us);
    fputs("</div>\n", out);
    for (size_t i = 0; i < statement->lock_count; i++)
        put_lock(out, &statement->locks[i], began_us, total_us);
}

static void put_timeline(FILE *out, const struct rehearsed *item)
{
    int64_t total_us = item->commit_ms > 0 ? item->commit_ms * 1000 : 0, at_us = 0;
    size_t hidden = 0;

    for (size_t i = 0; i < item->statement_count; i++)
        total_us += item->statements[i].us > 0 ? item->statements[i].us : 0;
    for (size_t i = 0; i < item->statement_count; i++) {
        const struct rehearsed_statement *statement = &item->statements[i];

        if (item->statement_count <= STATEMENTS_SHOWN || statement->us * SHARE_SHOWN >= total_us)
            put_statement(out, statement, at_us, total_us);
        else
            hidden++;
        at_us += statement->us > 0 ? statement->us : 0;
    }
    if (hidden > 0)
        put_made(out, "p", "quiet", text_format("%zu shorter statements are left out", hidden));
}

/* ---- what is to be looked at ---- */

static void put_failure(FILE *out, const struct error *failure)
{
    OWNED char *path = failure->file == NULL ? NULL : report_path(failure->file);

    if (failure->code == ERROR_NONE)
        return;
    fputs("<div class=\"failure\">\n", out);
    if (path != NULL)
        put_made(out, "p", "quiet", text_format("%s:%zu:%zu", path, failure->line, failure->column));
    put_made(out, "p", "bad",
             failure->sqlstate[0] == '\0' ? text_copy(failure->message)
                                          : text_format("%s (%s)", failure->message, failure->sqlstate));
    put(out, "p", NULL, failure->detail);
    put(out, "p", NULL, failure->hint);
    fputs("</div>\n", out);
}

static void put_lists(FILE *out, const struct rehearsed *item)
{
    if (item->advice_count > 0)
        fputs("<h3>What to write otherwise</h3>\n<ul>\n", out);
    for (size_t i = 0; i < item->advice_count; i++)
        put_made(out, "li", NULL,
                 item->advice[i].line > 0
                     ? text_format("line %zu: %s", item->advice[i].line, item->advice[i].text)
                     : text_copy(item->advice[i].text));
    fputs(item->advice_count > 0 ? "</ul>\n" : "", out);

    if (item->difference_count > 0)
        fputs("<h3>What the rollback did not bring back</h3>\n<ul>\n", out);
    for (size_t i = 0; i < item->difference_count; i++)
        put_made(out, "li", item->differences[i].mild ? "warn" : "bad",
                 text_format("%s %s: %s", item->differences[i].kind, item->differences[i].object,
                             item->differences[i].what));
    fputs(item->difference_count > 0 ? "</ul>\n" : "", out);

    if (item->weakness_count > 0)
        fputs("<h3>How a tenant reaches the rows of another</h3>\n<ul>\n", out);
    for (size_t i = 0; i < item->weakness_count; i++)
        put_made(out, "li", "bad",
                 text_format("%s: %s", item->weaknesses[i].object, item->weaknesses[i].what));
    fputs(item->weakness_count > 0 ? "</ul>\n" : "", out);

    if (item->change_count > 0)
        fputs("<h3>What an application notices</h3>\n<ul>\n", out);
    for (size_t i = 0; i < item->change_count; i++)
        put_made(out, "li", NULL, text_format("%s %s", item->changes[i].object, item->changes[i].what));
    fputs(item->change_count > 0 ? "</ul>\n" : "", out);
}

static void put_sizes(FILE *out, const struct rehearsed *item)
{
    if (item->touched_count > 0)
        fputs("<h3>Sizes</h3>\n<ul>\n", out);
    for (size_t i = 0; i < item->touched_count; i++) {
        OWNED char *before = text_size(item->touched[i].before), *after = text_size(item->touched[i].after);

        put_made(out, "li", NULL,
                 text_format("%s: %s before, %s after", item->touched[i].relation, before, after));
    }
    fputs(item->touched_count > 0 ? "</ul>\n" : "", out);
}

static void put_estimate(FILE *out, const struct rehearsed *item)
{
    OWNED char *estimate = rehearsed_estimate_words(item->low_ms, item->high_ms);
    OWNED char *disk = text_size(item->needs_disk), *wal = text_size(item->needs_wal);

    if (item->basis != NULL)
        put_made(out, "p", NULL, text_format("At the target: %s (%s)", estimate, item->basis));
    if (item->needs_disk >= 0)
        put_made(out, "p", NULL,
                 text_format("Needs %s of disk and %s of WAL there", disk,
                             item->needs_wal < 0 ? "an unknown amount" : wal));
}

static void put_migration(const struct page *page, size_t at)
{
    const struct rehearsed *item = &page->rehearsal->items[at];
    FILE *out = page->out;

    fprintf(out, "<section class=\"migration\" id=\"m%zu\">\n", at + 1);
    put(out, "h2", NULL, item->version);
    put_made(out, "p", "quiet",
             text_format("%s%s", item->file == NULL ? "" : item->file,
                         item->transactional ? ", in one transaction" : ", without a transaction"));
    put_estimate(out, item);
    if (item->victim_ms >= 0) {
        OWNED char *stall = text_duration(item->victim_ms);
        put_made(out, "p", NULL,
                 text_format("An application was held up for %s%s%s", stall,
                             item->victim_relation == NULL ? "" : " by ",
                             item->victim_relation == NULL ? "" : item->victim_relation));
    }
    put_failure(out, &item->failure);
    put_timeline(out, item);
    put_lists(out, item);
    put_sizes(out, item);
    fputs("</section>\n", out);
}

static void put_foot(const struct page *page)
{
    const struct rehearsal *rehearsal = page->rehearsal;

    if (rehearsal->differing_settings.count > 0)
        fputs("<h3>Settings that differ from the target</h3>\n<ul>\n", page->out);
    for (size_t i = 0; i < rehearsal->differing_settings.count; i++)
        put(page->out, "li", "warn", rehearsal->differing_settings.items[i]);
    fputs(rehearsal->differing_settings.count > 0 ? "</ul>\n" : "", page->out);
    fputs("</main>\n<footer>\n", page->out);
    put_made(page->out, "p", NULL,
             text_format("PostgreSQL %s, pgmigrate %s, rehearsal %s",
                         rehearsal->server_version == NULL ? "?" : rehearsal->server_version,
                         rehearsal->tool_version == NULL ? "?" : rehearsal->tool_version, rehearsal->id));
    fputs("</footer>\n</body>\n</html>\n", page->out);
}

char *rehearsal_html(const struct rehearsal *rehearsal)
{
    char *text = NULL;
    size_t size;
    struct page page = {.out = open_memstream(&text, &size), .rehearsal = rehearsal};

    put_head(&page);
    put_facts(&page);
    put_overview(&page);
    put_legend(page.out);
    for (size_t i = 0; i < rehearsal->count; i++)
        put_migration(&page, i);
    put_foot(&page);
    fclose(page.out);
    return text;
}
