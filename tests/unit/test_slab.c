/* SPDX-License-Identifier: MIT */
/* Small objects. The pages below are an array on the host. */
#include "test.h"

#include <types.h>

#define FRAMES 512
static char memory[FRAMES * PAGE_SIZE] __aligned(4096);
#define DIRECT_MAP ((unsigned long)memory)
#define DEBUG
#include "../../kernel/mm/slab.c"

static struct page frames[FRAMES];
struct page *pages = frames;
unsigned long nr_pages = FRAMES;
const unsigned long *machine_p2m, *machine_m2p;
static unsigned pages_out;
static bool no_memory;

struct page *page_alloc(unsigned order, unsigned flags)
{
	for (unsigned i = 0; i + (1u << order) <= FRAMES; i += 1u << order) {
		unsigned k = 0;

		while (k < 1u << order && frames[i + k].refs == 0)
			k++;
		if (k < 1u << order || no_memory)
			continue;
		for (k = 0; k < 1u << order; k++)
			frames[i + k].refs = 1;
		frames[i].order = order;
		frames[i].flags = 0;
		pages_out += 1u << order;
		memset(page_va(&frames[i]), flags & ALLOC_ZERO ? 0 : 0xee, PAGE_SIZE << order);
		return &frames[i];
	}
	return NULL;
}

void page_put(struct page *pg)
{
	for (unsigned k = 0; k < 1u << pg->order; k++)
		pg[k].refs = 0;
	pg->flags = 0;
	pages_out -= 1u << pg->order;
}

static void start(void)
{
	memset(frames, 0, sizeof(frames));
	memset(caches, 0, sizeof(caches));
	large_pages = pages_out = 0;
	no_memory = false;
	slab_init();
}

TEST(objects_are_aligned_and_apart)
{
	start();
	for (size_t size = 1; size <= 9000; size += size < 100 ? 1 : 97) {
		char *a = kmalloc(size, 0), *b = kmalloc(size, ALLOC_ZERO);

		REQUIRE(a && b);
		CHECK_EQ((unsigned long)a % (size >= 64 ? 64 : 16), 0);
		CHECK((size_t)(a > b ? a - b : b - a) >= size);
		for (size_t i = 0; i < size; i++)
			CHECK_EQ(b[i], 0);
		memset(a, 1, size);
		memset(b, 2, size);
		CHECK(a[0] == 1 && a[size - 1] == 1);
		kfree(a);
		kfree(b);
	}
	CHECK_EQ(kmalloc_used(), 0);
	slab_reclaim();
	CHECK_EQ(pages_out, 0);
}

TEST(random_use_keeps_contents)
{
	static struct {
		unsigned char *p, fill;
		size_t size;
	} held[300];
	unsigned n = 0;

	start();
	for (int step = 0; step < 20000; step++) {
		if (n < 300 && test_random() % 5 < 3) {
			size_t size = 1 + test_random() % (test_random() % 8 ? 300 : 5000);
			unsigned char *p = kmalloc(size, 0);

			if (!p)
				continue;
			held[n].p = p;
			held[n].size = size;
			held[n].fill = test_random();
			memset(p, held[n].fill, size);
			n++;
		} else if (n) {
			unsigned k = test_random() % n;

			for (size_t i = 0; i < held[k].size; i++)
				REQUIRE(held[k].p[i] == held[k].fill);
			kfree(held[k].p);
			held[k] = held[--n];
		}
	}
	while (n)
		kfree(held[--n].p);
	CHECK_EQ(kmalloc_used(), 0);
	slab_reclaim();
	CHECK_EQ(pages_out, 0);
}

TEST(no_memory_is_null)
{
	start();
	no_memory = true;
	CHECK(!kmalloc(10, 0));
	CHECK(!kmalloc(5000, 0));
	CHECK(!kmalloc(1ul << 40, 0));
	no_memory = false;
	void *p = kmalloc(10, 0);

	CHECK(p != 0);
	kfree(p);
	kfree(NULL);
}

TEST(the_table_adds_up)
{
	char text[1200];

	start();
	void *p = kmalloc(100, 0);

	CHECK(slab_describe(text, sizeof(text)) < sizeof(text) - 1);
	CHECK_EQ(kmalloc_used(), 128);
	kfree(p);
	CHECK_EQ(slab_spare_pages(), 1);
}
