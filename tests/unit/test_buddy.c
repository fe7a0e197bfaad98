/* SPDX-License-Identifier: MIT */
/*
 * The buddy system: blocks never overlap, are aligned to their size, and grow together again.
 * SOURCES: kernel/mm/buddy.c
 */
#include "test.h"

#include "../../kernel/mm/buddy.h"

#define N 5000

static struct page table[N];
struct page *pages = table;
unsigned long nr_pages = N;
static struct buddy b;
static unsigned char used[N]; /* by whom */

static void start(unsigned long first, unsigned long n)
{
	for (unsigned long i = 0; i < N; i++) {
		table[i] = (struct page){0};
		used[i] = 1;
	}
	buddy_init(&b);
	buddy_add(&b, first, n);
	for (unsigned long i = first; i < first + n; i++)
		used[i] = 0;
}

/* The lists agree with what is in use. */
static void check_lists(void)
{
	unsigned long total = 0;

	for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
		struct page *pg;
		unsigned long count = 0;

		list_for_each (pg, &b.free[order], link) {
			unsigned long pfn = page_pfn(pg).v;

			CHECK_EQ(pg->order, order);
			CHECK_EQ(pfn % (1ul << order), 0);
			for (unsigned long i = 0; i < 1ul << order; i++)
				CHECK_EQ(used[pfn + i], 0);
			count++;
		}
		CHECK_EQ(count, b.blocks[order]);
		total += count << order;
	}
	CHECK_EQ(total, b.nr_free);
}

TEST(random_blocks)
{
	static struct {
		struct page *pg;
		unsigned order;
	} held[200];

	start(3, N - 3);
	for (int i = 0; i < 200000; i++) {
		unsigned k = test_random() % ARRAY_SIZE(held);

		if (held[k].pg) {
			for (unsigned long p = 0; p < 1ul << held[k].order; p++)
				used[page_pfn(held[k].pg).v + p] = 0;
			buddy_free(&b, held[k].pg, held[k].order);
			held[k].pg = NULL;
			continue;
		}
		held[k].order = test_random() % (test_random() % 10 ? 4 : BUDDY_ORDERS);
		held[k].pg = buddy_alloc(&b, held[k].order);
		if (!held[k].pg)
			continue;
		unsigned long pfn = page_pfn(held[k].pg).v;

		REQUIRE_EQ(pfn % (1ul << held[k].order), 0);
		for (unsigned long p = 0; p < 1ul << held[k].order; p++) {
			REQUIRE_EQ(used[pfn + p], 0);
			used[pfn + p] = 2;
		}
		if (i % 1000 == 0)
			check_lists();
	}
	for (unsigned k = 0; k < ARRAY_SIZE(held); k++)
		if (held[k].pg) {
			for (unsigned long p = 0; p < 1ul << held[k].order; p++)
				used[page_pfn(held[k].pg).v + p] = 0;
			buddy_free(&b, held[k].pg, held[k].order);
		}
	check_lists();
	CHECK_EQ(b.nr_free, N - 3);
	/* All in the largest blocks that fit between 3 and N. */
	CHECK_EQ(b.blocks[BUDDY_ORDERS - 1], N / 1024 - 1);
}

TEST(all_pages_one_by_one)
{
	unsigned long n = 0;

	start(0, 1000);
	while (buddy_alloc(&b, 0))
		n++;
	CHECK_EQ(n, 1000);
	CHECK_EQ(b.nr_free, 0);
	CHECK(buddy_alloc(&b, 5) == NULL);
}

TEST(what_is_not_there_is_not_given)
{
	start(0, 7);
	CHECK(buddy_alloc(&b, 3) == NULL);
	CHECK(buddy_alloc(&b, BUDDY_ORDERS - 1) == NULL);
	CHECK(buddy_alloc(&b, 2) == &table[0]);
	CHECK(buddy_alloc(&b, 2) == NULL);
	CHECK_EQ(b.nr_free, 3);
}
