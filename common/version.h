/* SPDX-License-Identifier: PostgreSQL */
/* The program's version: the one place where it stands. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define PGMIGRATE_VERSION "0.1.0"

#endif
