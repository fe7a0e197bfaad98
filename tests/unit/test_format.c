/* SPDX-License-Identifier: MIT */
/*
 * The kernel's printf formats against the host's.
 * SOURCES: kernel/trace/format.c lib/string.c
 */
#include "test.h"

#include <printk.h>
#include <string.h>

int snprintf(char *buf, size_t size, const char *fmt, ...);

#define SAME(...)                                                      \
	do {                                                           \
		char ours[200], theirs[200];                           \
		int n = snprintk(ours, sizeof(ours), __VA_ARGS__);     \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		CHECK_STR(ours, theirs);                               \
		CHECK_EQ(n, m);                                        \
	} while (0)

TEST(numbers)
{
	static const long values[] = {0,           1,         -1,       9,          10,
				      255,         4096,      -4096,    2147483647, -2147483648l,
				      4294967295l, INT64_MAX, INT64_MIN};

	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		long v = values[i];

		SAME("%ld|%5ld|%-5ld|%05ld|%+ld|% ld|%.3ld", v, v, v, v, v, v, v);
		SAME("%lx|%#lx|%016lx|%lX|%lo|%lu", v, v, v, v, v, v);
		SAME("%d|%u|%x|%hd|%hhd|%hhx", (int)v, (int)v, (int)v, (short)v, (signed char)v,
		     (unsigned char)v);
		SAME("%zu|%8.4ld|%-8.4ld|", (size_t)v, v, v);
	}
}

TEST(texts)
{
	SAME("%s|%10s|%-10s|%.2s|%.0s", "abc", "abc", "abc", "abc", "abc");
	SAME("%c%c%5c|%-5c|%%", 'a', 'b', 'c', 'd');
	SAME("%*d|%-*d|%.*s", 6, 42, 6, 42, 2, "abc");
	SAME("%*d", -6, 42);
	SAME("plain");
	SAME("%s", "");
}

TEST(null_text)
{
	char buf[20];

	snprintk(buf, sizeof(buf), "%s", (char *)0);
	CHECK_STR(buf, "(null)");
}

TEST(the_result_is_cut_and_its_length_is_what_is_there)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(snprintk(buf, 4, "%d", 123456), 3);
	CHECK_STR(buf, "123");
	CHECK_EQ(buf[4], 'x');
	CHECK_EQ(snprintk(buf, 1, "abc"), 0);
	CHECK_STR(buf, "");
	buf[0] = 'q';
	CHECK_EQ(snprintk(buf, 0, "abc"), 0);
	CHECK_EQ(buf[0], 'q');
}
