/* SPDX-License-Identifier: MIT */
/* Options of the command line: POSIX's getopt and GNU's long options (src/getopt.c). */
#ifndef _GETOPT_H
#define _GETOPT_H

#include <_ansi.h>

#define no_argument 0
#define required_argument 1
#define optional_argument 2

struct option {
	const char *name;
	int has_arg;
	int *flag; /* 0: val is returned; else: val is stored there and 0 returned */
	int val;
};

_BEGIN_STD_C

extern char *optarg;
extern int optind, opterr, optopt;
extern int optreset; /* set it, and optind to 1, before a second command line (BSD) */

int getopt(int, char *const[], const char *);
int getopt_long(int, char *const[], const char *, const struct option *, int *);
int getopt_long_only(int, char *const[], const char *, const struct option *, int *);

_END_STD_C

#endif
