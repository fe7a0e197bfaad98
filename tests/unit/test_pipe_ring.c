/* SPDX-License-Identifier: MIT */
/*
 * The bytes in a pipe come out as they went in, and no page is lost.
 * SOURCES: kernel/fs/pipe_ring.c
 */
#include "test.h"

#include "../../kernel/fs/pipe_ring.h"

void *malloc(unsigned long n);
void free(void *p);

static int pages_out;
static int pages_left = -1; /* before allocation fails; -1: never */

char *pipe_page_alloc(void)
{
	if (pages_left == 0)
		return NULL;
	if (pages_left > 0)
		pages_left--;
	pages_out++;
	return malloc(PAGE_SIZE);
}

void pipe_page_free(char *page)
{
	pages_out--;
	free(page);
}

static struct pipe_ring r;

/* What the n-th byte that ever went in was. */
static char pattern(unsigned long n)
{
	return (char)(n * 7 + n / 251);
}

TEST(random_writes_and_reads)
{
	unsigned long in = 0, out = 0;

	for (int round = 0; round < 20000; round++) {
		size_t n = test_random() % (test_random() % 8 ? 300 : 20000);

		if (test_random() % 2) {
			char *p = ring_in(&r, &n);

			CHECK_EQ(p == NULL, n == 0);
			CHECK(n <= PIPE_SIZE - (in - out));
			for (size_t i = 0; p && i < n; i++)
				p[i] = pattern(in++);
			ring_put(&r, p ? n : 0);
		} else {
			char *p = ring_out(&r, 0, &n);

			CHECK(n <= in - out);
			for (size_t i = 0; p && i < n; i++)
				if (p[i] != pattern(out++)) {
					test_failed(__FILE__, __LINE__, "byte %lu is wrong",
						    out - 1);
					return;
				}
			if (p)
				ring_take(&r, n);
		}
		REQUIRE_EQ(r.used, in - out);
		CHECK(pages_out <= PIPE_PAGES);
	}
	ring_free(&r);
	CHECK_EQ(pages_out, 0);
}

TEST(an_empty_pipe_keeps_one_page_at_most)
{
	for (int i = 0; i < 1000; i++) {
		size_t n = 1 + test_random() % PAGE_SIZE;

		REQUIRE(ring_in(&r, &n) != NULL);
		ring_put(&r, n);
		REQUIRE(ring_out(&r, 0, &n) != NULL);
		ring_take(&r, n);
		CHECK(r.used != 0 || pages_out <= 1);
	}
	ring_free(&r);
	CHECK_EQ(pages_out, 0);
}

TEST(a_full_pipe_takes_nothing)
{
	size_t n;

	for (unsigned i = 0; i < PIPE_PAGES; i++) {
		n = PAGE_SIZE;
		REQUIRE(ring_in(&r, &n) != NULL);
		REQUIRE_EQ(n, PAGE_SIZE);
		ring_put(&r, n);
	}
	n = 1;
	CHECK(ring_in(&r, &n) == NULL);
	CHECK_EQ(n, 0);
	CHECK(!ring_prepare(&r, 1));
	ring_take(&r, 100);
	CHECK(ring_prepare(&r, 100));
	CHECK(!ring_prepare(&r, 101));
	ring_free(&r);
	CHECK_EQ(pages_out, 0);
}

TEST(no_memory_is_an_error_and_nothing_else)
{
	size_t n = 100;

	pages_left = 0;
	CHECK(ring_in(&r, &n) == NULL);
	CHECK(!ring_prepare(&r, 1));
	pages_left = 2;
	CHECK(!ring_prepare(&r, 3 * PAGE_SIZE));
	pages_left = -1;
	CHECK(ring_prepare(&r, 3 * PAGE_SIZE));
	CHECK_EQ(r.used, 0);
	ring_free(&r);
	CHECK_EQ(pages_out, 0);
}
