/* SPDX-License-Identifier: MIT */
#ifndef TESTS_POSIX_SUITE_H
#define TESTS_POSIX_SUITE_H

/* The table, which tests/lib/posixsuite.py writes. */
struct suite_test {
	const char *name;
	int (*main)(int argc, char **argv);
};

extern const struct suite_test suite_tests[];
extern const int suite_count;

#endif
