/* SPDX-License-Identifier: PostgreSQL */
#include "cli/metrics.h"

#include "common/moment.h"

/* One database of one cluster. */
struct series {
    const struct record *newest;
    int64_t verified, tested; /* seconds; 0: never */
};

static int64_t seconds(const char *time)
{
    int64_t us = 0;

    return time && moment_parse(time, &us) ? us / 1000000 : 0;
}

static struct series *series_of(struct series *all, size_t *count, const struct record *record)
{
    for (size_t i = 0; i < *count; i++)
        if (text_equal(all[i].newest->database, record->database) &&
            text_equal(all[i].newest->system_identifier, record->system_identifier))
            return &all[i];
    all[*count] = (struct series){.newest = record};
    return &all[(*count)++];
}

/* Backslash, quote and newline are what a label's value escapes. */
static void print_label(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=\"", name);
    for (; *value; value++)
        if (*value == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    fputc('"', out);
}

enum metric { METRIC_TIME, METRIC_BYTES, METRIC_SECONDS, METRIC_VERIFIED, METRIC_TESTED };

static double value_of(const struct series *series, enum metric metric)
{
    switch (metric) {
    case METRIC_TIME:
        return (double)seconds(series->newest->taken_at);
    case METRIC_BYTES:
        return (double)series->newest->whole.bytes;
    case METRIC_SECONDS:
        return (double)series->newest->milliseconds / 1000;
    case METRIC_VERIFIED:
        return (double)series->verified;
    case METRIC_TESTED:
        return (double)series->tested;
    }
    return 0;
}

static void print(FILE *out, const struct series *all, size_t count)
{
    static const struct {
        const char *name, *help;
    } metrics[] = {
        [METRIC_TIME] = {"last_success_timestamp_seconds", "Snapshot time of the newest good backup."},
        [METRIC_BYTES] = {"size_bytes", "Size of the newest good backup."},
        [METRIC_SECONDS] = {"duration_seconds", "How long the newest good backup took."},
        [METRIC_VERIFIED] = {"last_verified_timestamp_seconds", "When a backup was last verified; 0: never."},
        [METRIC_TESTED] = {"last_tested_timestamp_seconds", "When a restore was last tested; 0: never."},
    };

    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        fprintf(out, "# HELP pgmigrate_backup_%s %s\n# TYPE pgmigrate_backup_%s gauge\n", metrics[m].name,
                metrics[m].help, metrics[m].name);
        for (size_t i = 0; i < count; i++) {
            fprintf(out, "pgmigrate_backup_%s{", metrics[m].name);
            print_label(out, "database", all[i].newest->database);
            fputc(',', out);
            print_label(out, "system", all[i].newest->system_identifier);
            fprintf(out, "} %.15g\n", value_of(&all[i], (enum metric)m));
        }
    }
}

bool metrics_write(const char *path, const struct records *records, struct error *error)
{
    OWNED struct series *all = memory_allocate(records->count + 1, sizeof *all);
    OWNED char *text = NULL;
    size_t count = 0, size;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = records->items[i];
        if (record_is_damaged(record))
            continue;
        struct series *series = series_of(all, &count, record);
        int64_t verified = seconds(record->verified_at), tested = seconds(record->tested_at);
        series->verified = verified > series->verified ? verified : series->verified;
        series->tested = tested > series->tested ? tested : series->tested;
    }
    print(out, all, count);
    fclose(out);
    return file_write_atomic(path, text, size, 0644, error);
}
