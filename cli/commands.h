/* SPDX-License-Identifier: PostgreSQL */
/* The commands' records, one per cmd_<name>.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_apply;
extern const struct command cmd_backup_create;
extern const struct command cmd_backup_gc;
extern const struct command cmd_backup_keep;
extern const struct command cmd_backup_list;
extern const struct command cmd_backup_prune;
extern const struct command cmd_backup_reindex;
extern const struct command cmd_backup_show;
extern const struct command cmd_backup_test;
extern const struct command cmd_backup_unkeep;
extern const struct command cmd_backup_verify;
extern const struct command cmd_baseline;
extern const struct command cmd_check;
extern const struct command cmd_cluster_start;
extern const struct command cmd_cluster_status;
extern const struct command cmd_cluster_stop;
extern const struct command cmd_cluster_url;
extern const struct command cmd_doctor;
extern const struct command cmd_demo;
extern const struct command cmd_help;
extern const struct command cmd_history;
extern const struct command cmd_new;
extern const struct command cmd_plan;
extern const struct command cmd_rehearse;
extern const struct command cmd_repair;
extern const struct command cmd_restore;
extern const struct command cmd_rls;
extern const struct command cmd_rollback;
extern const struct command cmd_status;

#endif
