/* SPDX-License-Identifier: MIT */
/*
 * A small test frame, the same for unit tests on the host and for test programs in the guest.
 *
 *	#include "test.h"
 *	TEST(pipe_is_empty_at_first)
 *	{
 *		CHECK(is_empty(&p));
 *		CHECK_EQ(count(&p), 0);
 *	}
 *
 * A check that fails prints file, line and values, and the test goes on; REQUIRE* ends the test
 * instead. The header needs no C library, so that tests of kernel code can include kernel headers
 * beside it. The program prints a line for each test and a last line with their number:
 *
 *	ok pipe_is_empty_at_first
 *	not ok pipe_is_full
 *	end 2
 *
 * A program that dies before its `end` line has failed. Arguments: --seed N, then names of tests to
 * run (parts of names will do); none: all.
 */
#ifndef TEST_H
#define TEST_H

void test_register(const char *name, void (*run)(void));
void test_failed(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int test_equal(const char *file, int line, const char *a, const char *b, long long va,
	       long long vb);
int test_same_text(const char *file, int line, const char *a, const char *b, const char *va,
		   const char *vb);
int test_same_bytes(const char *file, int line, const char *a, const char *b, const void *va,
		    const void *vb, unsigned long n);
/* Random numbers from the seed that the program prints; the same seed gives the same numbers. */
unsigned long test_random(void);
/* For a child: numbers of its own from here on, chosen by @which. Numbers that are merely skipped
 * bring it back to its parent's, or its sibling's, sooner or later. */
void test_random_branch(unsigned long which);
/* Ends the current test without a verdict of its own: something it needs is not there. */
void test_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define TEST(name)                                                     \
	static void test_##name(void);                                 \
	__attribute__((constructor)) static void register_##name(void) \
	{                                                              \
		test_register(#name, test_##name);                     \
	}                                                              \
	static void test_##name(void)

#define CHECK_THAT(ok, ...)                                           \
	do {                                                          \
		if (!(ok))                                            \
			test_failed(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)

#define CHECK(cond) CHECK_THAT(cond, "%s is false", #cond)
#define CHECK_EQ(a, b) \
	((void)test_equal(__FILE__, __LINE__, #a, #b, (long long)(a), (long long)(b)))
#define CHECK_STR(a, b) ((void)test_same_text(__FILE__, __LINE__, #a, #b, a, b))
#define CHECK_MEM(a, b, n) ((void)test_same_bytes(__FILE__, __LINE__, #a, #b, a, b, n))

/* As CHECK, but the test ends here if it fails. */
#define REQUIRE(cond)                                                          \
	do {                                                                   \
		if (!(cond)) {                                                 \
			test_failed(__FILE__, __LINE__, "%s is false", #cond); \
			return;                                                \
		}                                                              \
	} while (0)
#define REQUIRE_EQ(a, b)                                                                     \
	do {                                                                                 \
		if (!test_equal(__FILE__, __LINE__, #a, #b, (long long)(a), (long long)(b))) \
			return;                                                              \
	} while (0)

/* For system calls: the call returns -1 and errno is what is wanted (include <errno.h>). */
#define CHECK_ERRNO(call, wanted)                                                                 \
	do {                                                                                      \
		errno = 0;                                                                        \
		long long errno_ret = (long long)(call);                                          \
		int errno_got = errno;                                                            \
		if (errno_ret != -1 || errno_got != (wanted))                                     \
			test_failed(__FILE__, __LINE__, "%s returned %lld, errno %d (wanted %s)", \
				    #call, errno_ret, errno_got, #wanted);                        \
	} while (0)

#endif
