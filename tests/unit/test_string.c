/* SPDX-License-Identifier: MIT */
/*
 * The kernel's string functions against the host's, at every alignment and length that matters.
 * SOURCES: lib/string.c
 */
#include "test.h"

#include <string.h>

/* The kernel's, under the names that mk/test.mk gives them. */
void *kernel_memcpy(void *dst, const void *src, unsigned long n);
void *kernel_memmove(void *dst, const void *src, unsigned long n);
void *kernel_memset(void *dst, int c, unsigned long n);
int kernel_memcmp(const void *a, const void *b, unsigned long n);
void *kernel_memchr(const void *s, int c, unsigned long n);
unsigned long kernel_strlen(const char *s);
unsigned long kernel_strnlen(const char *s, unsigned long max);
int kernel_strcmp(const char *a, const char *b);
int kernel_strncmp(const char *a, const char *b, unsigned long n);
char *kernel_strchr(const char *s, int c);
char *kernel_strrchr(const char *s, int c);
unsigned long strlcpy(char *dst, const char *src, unsigned long size);

#define SIZE 128

static unsigned char a[SIZE], b[SIZE];

static void fill(void)
{
	for (int i = 0; i < SIZE; i++)
		a[i] = b[i] = (unsigned char)test_random();
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

TEST(memcpy_and_memset_touch_exactly_their_bytes)
{
	for (unsigned to = 0; to < 9; to++)
		for (unsigned n = 0; n < 80; n++) {
			fill();
			memcpy(b + to, a + 40, n);
			unsigned char want[SIZE];
			memcpy(want, b, SIZE);
			memcpy(b, a, SIZE);
			REQUIRE(kernel_memcpy(b + to, a + 40, n) == b + to);
			CHECK_MEM(b, want, SIZE);

			memset(want + to, 0x5a, n);
			REQUIRE(kernel_memset(b + to, 0x15a, n) == b + to);
			CHECK_MEM(b, want, SIZE);
		}
}

TEST(memmove_allows_overlap)
{
	for (unsigned to = 0; to < 20; to++)
		for (unsigned from = 0; from < 20; from++)
			for (unsigned n = 0; n < 60; n += 1 + n / 8) {
				fill();
				memmove(b + to, b + from, n);
				REQUIRE(kernel_memmove(a + to, a + from, n) == a + to);
				CHECK_MEM(a, b, SIZE);
			}
}

TEST(comparisons_agree_with_the_hosts)
{
	for (int i = 0; i < 20000; i++) {
		char x[8], y[8];

		for (int k = 0; k < 7; k++) {
			x[k] = (char)(test_random() % 3 ? 0xc0 + k : test_random() % 3);
			y[k] = (char)(test_random() % 3 ? 0xc0 + k : test_random() % 3);
		}
		x[7] = y[7] = 0;
		unsigned n = test_random() % 8;

		CHECK_EQ(sign(kernel_memcmp(x, y, n)), sign(memcmp(x, y, n)));
		CHECK_EQ(sign(kernel_strcmp(x, y)), sign(strcmp(x, y)));
		CHECK_EQ(sign(kernel_strncmp(x, y, n)), sign(strncmp(x, y, n)));
	}
}

TEST(searching)
{
	const char *s = "kernel/mm/slab.c";

	CHECK(kernel_strchr(s, '/') == s + 6);
	CHECK(kernel_strrchr(s, '/') == s + 9);
	CHECK(kernel_strchr(s, 0) == s + 16);
	CHECK(kernel_strrchr(s, 0) == s + 16);
	CHECK(kernel_strchr(s, 'z') == 0);
	CHECK(kernel_strrchr(s, 'z') == 0);
	CHECK(kernel_memchr(s, 'm', 7) == 0);
	CHECK(kernel_memchr(s, 'm', 8) == s + 7);
	CHECK_EQ(kernel_strlen(s), 16);
	CHECK_EQ(kernel_strlen(""), 0);
	CHECK_EQ(kernel_strnlen(s, 4), 4);
	CHECK_EQ(kernel_strnlen(s, 40), 16);
}

TEST(strlcpy_always_ends_the_string)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(strlcpy(buf, "abc", 4), 3);
	CHECK_STR(buf, "abc");
	CHECK_EQ(strlcpy(buf, "abcdefghij", 4), 10);
	CHECK_STR(buf, "abc");
	CHECK_EQ(buf[4], 'x');
	buf[0] = 'q';
	CHECK_EQ(strlcpy(buf, "abc", 0), 3);
	CHECK_EQ(buf[0], 'q');
	CHECK_EQ(strlcpy(buf, "abc", 1), 3);
	CHECK_STR(buf, "");
}
