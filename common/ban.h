/* SPDX-License-Identifier: PostgreSQL */
/*
 * Functions that have a safer counterpart in common/ are compile errors. The Makefile forces this header
 * into every file after the system headers that declare them.
 */
#ifndef COMMON_BAN_H
#define COMMON_BAN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison sprintf vsprintf strcpy strcat strncpy strncat gets strtok
#pragma GCC poison system popen atoi atol tmpnam mktemp asctime ctime gmtime localtime

#endif
