/* SPDX-License-Identifier: PostgreSQL */
/*
 * A migration applied under a trace, and what was measured as text: a line for each statement.
 */
#ifndef TESTS_UNIT_TRACE_SCENE_H
#define TESTS_UNIT_TRACE_SCENE_H

#include "deploy/lock_mode.h"
#include "deploy/trace.h"
#include "history_scene.h"
#include "migrator/apply.h"
#include <stdio.h>

/* Everything gone from the last time; then setup. */
static inline void trace_setup(struct scene *scene, const char *setup)
{
    history_free(scene->history);
    scene->history = NULL;
    scene_sql(scene, "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    scene_sql(scene, setup);
    scene_sql(scene, "RESET ALL");
    scene_open(scene, "public.schema_migrations");
}

static inline bool trace_apply(struct scene *scene, const char *migration, bool victims,
                               struct rehearsed *ret)
{
    AUTO(trace_free) struct trace *trace = NULL;
    AUTO(run_result_clear) struct run_result result = {0};
    must(trace_begin(scene->postgres,
                     &(struct trace_options){.history = scene->history, .probe_victims = victims}, &trace,
                     &scene->error),
         &scene->error);
    struct apply_options options = {
        .run = {.lock_timeout_ms = 2000, .max_wait_ms = 10000, .watch = trace_watch(trace)}, .batch = 100};
    error_clear(&scene->error);
    scene_write(scene, "001_a.sql", migration);
    bool good =
        apply_run(scene->postgres, scene->history, scene_read(scene), &options, NULL, &result, &scene->error);
    assert_true(trace_take(trace, "001_a", ret));
    assert_false(trace_take(trace, "001_a", ret));
    return good;
}

static inline void print_names(FILE *stream, const char *what, const struct text_list *names)
{
    OWNED char *joined = text_list_join(names, ",");
    if (names->count > 0)
        fprintf(stream, " %s=%s", what, joined);
}

/* "2 rewrite SHARE:public.t ACCESS EXCLUSIVE:public.t rewritten=public.t"; locks from SHARE UPDATE EXCLUSIVE
 * on. */
static inline char *trace_text(const struct rehearsed *rehearsed)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < rehearsed->statement_count; i++) {
        const struct rehearsed_statement *statement = &rehearsed->statements[i];
        fprintf(stream, "%zu %s", statement->line, statement_class_name(statement->class));
        for (size_t k = 0; k < statement->lock_count; k++) {
            enum lock_mode mode = lock_mode_of(statement->locks[k].mode);
            if (mode > LOCK_ROW_EXCLUSIVE)
                fprintf(stream, " %s:%s", lock_mode_words(mode), statement->locks[k].relation);
        }
        print_names(stream, "rewritten", &statement->rewritten);
        print_names(stream, "built", &statement->built);
        print_names(stream, "scanned", &statement->scanned);
        print_names(stream, "written", &statement->written);
        fputs(statement->under_exclusive ? " under exclusive\n" : "\n", stream);
    }
    fclose(stream);
    return text;
}

#endif
