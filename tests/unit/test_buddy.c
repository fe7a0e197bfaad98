/* SPDX-License-Identifier: MIT */
/*
 * The buddy system against a simple model: which frame is free.
 * SOURCES: kernel/mm/buddy.c
 */
#include "test.h"

#include "../../kernel/mm/buddy.h"

#define FRAMES 3000 /* not a multiple of anything */

static struct page frames[FRAMES];
struct page *pages = frames;
unsigned long nr_pages = FRAMES;
const unsigned long *machine_p2m, *machine_m2p;

static struct buddy b;
static bool busy[FRAMES];

static void start(void)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		frames[i] = (struct page){.refs = 0};
		busy[i] = false;
	}
	buddy_init(&b);
}

/* Free blocks are aligned, inside, do not overlap, and are as many as counted. */
static void check_blocks(void)
{
	static bool seen[FRAMES];
	unsigned long sum = 0;
	struct page *pg;

	for (unsigned i = 0; i < FRAMES; i++)
		seen[i] = false;
	for (unsigned o = 0; o < BUDDY_ORDERS; o++) {
		unsigned long n = 0;

		list_for_each(pg, &b.free[o], link) {
			unsigned long first = page_pfn(pg).v;

			n++;
			CHECK_EQ(pg->order, o);
			CHECK_EQ(first % (1ul << o), 0);
			for (unsigned long i = first; i < first + (1ul << o); i++) {
				REQUIRE(i < FRAMES);
				CHECK(!seen[i] && !busy[i]);
				seen[i] = true;
				sum++;
			}
		}
		CHECK_EQ(n, b.blocks[o]);
	}
	CHECK_EQ(sum, b.nr_free);
}

TEST(what_is_added_can_be_taken_and_no_more)
{
	unsigned n = 0;

	start();
	buddy_add(&b, 3, 1000);
	CHECK_EQ(b.nr_free, 1000);
	check_blocks();
	while (buddy_alloc(&b, 0))
		n++;
	CHECK_EQ(n, 1000);
	CHECK_EQ(b.nr_free, 0);
}

TEST(large_blocks_are_whole_and_aligned)
{
	start();
	buddy_add(&b, 0, FRAMES);
	struct page *pg = buddy_alloc(&b, 10);

	REQUIRE(pg);
	CHECK_EQ(page_pfn(pg).v % 1024, 0);
	CHECK(buddy_alloc(&b, 10) && !buddy_alloc(&b, 10));
	CHECK_EQ(b.nr_free, FRAMES - 2048);
}

TEST(buddies_become_one_again)
{
	start();
	buddy_add(&b, 0, 1024);
	struct page *pg[1024];

	for (int i = 0; i < 1024; i++)
		pg[i] = buddy_alloc(&b, 0);
	CHECK(!buddy_alloc(&b, 0));
	for (int i = 0; i < 1024; i++) /* in an order without any system: 367 is prime to 1024 */
		buddy_free(&b, pg[i * 367 % 1024], 0);
	CHECK_EQ(b.blocks[10], 1);
	CHECK(buddy_alloc(&b, 10) != 0);
}

TEST(random_use)
{
	static struct {
		struct page *pg;
		unsigned order;
	} held[500];
	unsigned n = 0;

	start();
	buddy_add(&b, 0, 100);
	buddy_add(&b, 117, FRAMES - 117);
	for (int step = 0; step < 30000; step++) {
		if (n < 500 && test_random() % 2) {
			unsigned order = test_random() % 5;
			struct page *pg = buddy_alloc(&b, order);

			if (!pg)
				continue;
			for (unsigned long i = 0; i < 1ul << order; i++) {
				REQUIRE(!busy[page_pfn(pg).v + i]);
				busy[page_pfn(pg).v + i] = true;
			}
			held[n].pg = pg;
			held[n++].order = order;
		} else if (n) {
			unsigned k = test_random() % n;

			for (unsigned long i = 0; i < 1ul << held[k].order; i++)
				busy[page_pfn(held[k].pg).v + i] = false;
			buddy_free(&b, held[k].pg, held[k].order);
			held[k] = held[--n];
		}
		if (step % 1000 == 0)
			check_blocks();
	}
	while (n--)
		buddy_free(&b, held[n].pg, held[n].order);
	CHECK_EQ(b.nr_free, FRAMES - 17);
}
