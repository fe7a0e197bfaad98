/* SPDX-License-Identifier: MIT */
/* The test frame's main program; see test.h. */
#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TESTS 512

static struct {
	const char *name;
	void (*run)(void);
} tests[MAX_TESTS];
static unsigned nr_tests;
static unsigned failures; /* of the test that runs now */
static unsigned long random_state;

void test_register(const char *name, void (*run)(void))
{
	if (nr_tests == MAX_TESTS) {
		fprintf(stderr, "more than %d tests in one program\n", MAX_TESTS);
		exit(2);
	}
	tests[nr_tests].name = name;
	tests[nr_tests++].run = run;
}

void test_failed(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	failures++;
	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void test_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

int test_equal(const char *file, int line, const char *a, const char *b, long long va, long long vb)
{
	if (va == vb)
		return 1;
	test_failed(file, line, "%s is %lld (0x%llx), %s is %lld (0x%llx)", a, va, va, b, vb, vb);
	return 0;
}

int test_same_text(const char *file, int line, const char *a, const char *b, const char *va,
		   const char *vb)
{
	if (va && vb && strcmp(va, vb) == 0)
		return 1;
	test_failed(file, line, "%s is \"%s\", %s is \"%s\"", a, va ? va : "(null)", b,
		    vb ? vb : "(null)");
	return 0;
}

int test_same_bytes(const char *file, int line, const char *a, const char *b, const void *va,
		    const void *vb, unsigned long n)
{
	const unsigned char *pa = va, *pb = vb;

	for (unsigned long i = 0; i < n; i++)
		if (pa[i] != pb[i]) {
			test_failed(file, line, "%s and %s differ at byte %lu of %lu: %02x, %02x",
				    a, b, i, n, pa[i], pb[i]);
			return 0;
		}
	return 1;
}

unsigned long test_random(void)
{
	/* xorshift64: good enough to vary tests, the same everywhere */
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

void test_random_branch(unsigned long which)
{
	/* @which may well be the number drawn last, and that is the state itself. */
	random_state = (random_state * 5 + which * 6) * 0x9e3779b97f4a7c15ul;
	random_state = (random_state ^ random_state >> 31) | 1;
}

static int wanted(const char *name, int argc, char **argv)
{
	if (argc == 0)
		return 1;
	for (int i = 0; i < argc; i++)
		if (strstr(name, argv[i]))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long seed = (unsigned long)time(NULL);
	unsigned run = 0, failed = 0;

	argc--;
	argv++;
	if (argc >= 2 && strcmp(argv[0], "--seed") == 0) {
		seed = strtoul(argv[1], NULL, 0);
		argc -= 2;
		argv += 2;
	}
	printf("# seed %lu\n", seed);
	fflush(stdout);
	for (unsigned i = 0; i < nr_tests; i++) {
		if (!wanted(tests[i].name, argc, argv))
			continue;
		/* Each test gets the same numbers whichever others run. */
		random_state = seed * 2 + 1;
		for (const char *p = tests[i].name; *p; p++)
			random_state = random_state * 31 + (unsigned char)*p;
		random_state |= 1;
		failures = 0;
		tests[i].run();
		run++;
		failed += failures != 0;
		printf("%s %s\n", failures ? "not ok" : "ok", tests[i].name);
		fflush(stdout);
	}
	printf("end %u\n", run);
	return failed ? 1 : 0;
}
