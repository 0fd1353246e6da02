/* SPDX-License-Identifier: PostgreSQL */
#include "backup/retention.h"

enum period { PERIOD_NONE, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };

/* One rule at work on one group. */
struct bucket {
    const char *name;
    enum period unit; /* PERIOD_NONE: every backup is one of its own */
    int64_t left;
    char period[32]; /* of the last one that was kept */
};

#define BUCKETS 4

struct group {
    const struct retention_rules *rules;
    struct retention_choice *items;
    size_t *members; /* places of the group's records, newest first */
    size_t count;
};

void retention_plan_clear(struct retention_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        free(plan->items[i].reason);
    free(plan->items);
    *plan = (struct retention_plan){0};
}

static void keep(struct retention_choice *choice, char *owned)
{
    OWNED char *reason = owned;
    char *all = choice->reason ? text_format("%s, %s", choice->reason, reason) : text_copy(reason);

    free(choice->reason);
    choice->reason = all;
    choice->keep = true;
}

static void period_of(enum period unit, const struct record *record, char ret[32])
{
    time_t seconds = record_taken_us(record) / 1000000;
    struct tm parts;

    gmtime_r(&seconds, &parts);
    if (unit == PERIOD_DAY)
        strftime(ret, 32, "%Y-%m-%d", &parts);
    else if (unit == PERIOD_WEEK)
        strftime(ret, 32, "%G-W%V", &parts);
    else
        strftime(ret, 32, "%Y-%m", &parts);
}

static void fill(struct bucket *bucket, const struct group *group)
{
    for (size_t i = 0; i < group->count && bucket->left > 0; i++) {
        struct retention_choice *choice = &group->items[group->members[i]];
        char period[32];
        if (bucket->unit == PERIOD_NONE) {
            keep(choice, text_format("last %zu", i + 1));
            bucket->left--;
            continue;
        }
        period_of(bucket->unit, choice->record, period);
        bool same = strcmp(period, bucket->period) == 0;
        if (same && i + 1 < group->count)
            continue;
        keep(choice, text_format("%s%s %s", same ? "oldest " : "", bucket->name, period));
        memcpy(bucket->period, period, sizeof period);
        bucket->left--;
    }
}

static bool lists(const struct text_list *ids, const char *id)
{
    return ids && text_list_contains(ids, id);
}

static void keep_always(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct retention_choice *choice = &group->items[group->members[i]];
        const struct record *record = choice->record;
        if (record->kept)
            keep(choice,
                 record->kept_reason ? text_format("marked: %s", record->kept_reason) : text_copy("marked"));
        if (!group->rules->drop_referenced && lists(group->rules->referenced, record->id))
            keep(choice, text_copy("the history points at it"));
        if (!group->rules->drop_referenced && lists(group->rules->unasked, record->id))
            keep(choice, text_copy("made by apply, and its history was not asked"));
    }
    keep(&group->items[group->members[0]],
         text_format("newest of \"%s\"", group->items[group->members[0]].record->database));
}

static void apply(const struct group *group)
{
    const struct retention_rules *rules = group->rules;
    struct bucket buckets[BUCKETS] = {
        {.name = "last", .left = rules->last},
        {.name = "daily", .unit = PERIOD_DAY, .left = rules->daily},
        {.name = "weekly", .unit = PERIOD_WEEK, .left = rules->weekly},
        {.name = "monthly", .unit = PERIOD_MONTH, .left = rules->monthly},
    };
    int64_t newest = record_taken_us(group->items[group->members[0]].record);

    for (size_t i = 0; i < BUCKETS; i++)
        fill(&buckets[i], group);
    for (size_t i = 0; i < group->count && rules->within_ms > 0; i++) {
        struct retention_choice *choice = &group->items[group->members[i]];
        OWNED char *age = text_duration(rules->within_ms);
        if (record_taken_us(choice->record) > newest - rules->within_ms * 1000)
            keep(choice, text_format("within %s", age));
    }
    keep_always(group);
}

static bool same_group(const struct record *a, const struct record *b)
{
    return strcmp(a->database, b->database) == 0 && strcmp(a->system_identifier, b->system_identifier) == 0;
}

static bool counts(const struct record *record)
{
    return !record_is_damaged(record) && !record->ahead;
}

static void give_the_rest_a_reason(struct retention_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct retention_choice *choice = &plan->items[i];
        if (record_is_damaged(choice->record))
            keep(choice, text_copy("damaged; no rule counts it, so remove it by hand"));
        if (choice->record->ahead)
            keep(choice, text_copy("its time has not come yet; no rule counts it, so remove it by hand"));
        if (choice->keep)
            continue;
        choice->reason = text_copy("no rule keeps it");
        plan->bytes += choice->record->whole.bytes;
    }
}

bool retention_plan(const struct records *records, const struct retention_rules *rules,
                    struct retention_plan *ret, struct error *error)
{
    AUTO(retention_plan_clear) struct retention_plan plan = {0};
    OWNED size_t *members = memory_allocate(records->count + 1, sizeof *members);
    OWNED bool *done = memory_allocate(records->count + 1, sizeof *done);

    if (rules->last <= 0 && rules->daily <= 0 && rules->weekly <= 0 && rules->monthly <= 0 &&
        rules->within_ms <= 0) {
        error_set(error, ERROR_USAGE, "no rule says which backups to keep");
        return error_hint(error, "Give --keep-last, --keep-daily, --keep-weekly, --keep-monthly or "
                                 "--keep-within, or set keep_last and so on in section [backup].");
    }
    plan.items = memory_allocate(records->count + 1, sizeof *plan.items);
    plan.count = records->count;
    for (size_t i = 0; i < records->count; i++)
        plan.items[i].record = records->items[i];
    for (size_t first = 0; first < records->count; first++) {
        struct group group = {.rules = rules, .items = plan.items, .members = members};
        for (size_t i = first; i < records->count && !done[first]; i++)
            if (same_group(records->items[i], records->items[first]) && counts(records->items[i]))
                members[group.count++] = i;
        for (size_t i = 0; i < group.count; i++)
            done[members[i]] = true;
        if (group.count > 0)
            apply(&group);
    }
    give_the_rest_a_reason(&plan);
    *ret = plan;
    plan = (struct retention_plan){0};
    return true;
}
