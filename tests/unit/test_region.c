/* SPDX-License-Identifier: MIT */
/*
 * Regions of an address space against a model that has one entry for each page.
 * SOURCES: kernel/mm/region.c
 */
#include "test.h"

#include <fs.h>
#include "../../kernel/mm/region.h"
#include "../../kernel/mm/room.h"

struct page *pages;
unsigned long nr_pages;
const unsigned long *machine_p2m, *machine_m2p;

static struct vnode file;

struct vnode *vnode_get(struct vnode *vn)
{
	vn->refs++;
	return vn;
}

void vnode_put(struct vnode *vn)
{
	if (vn)
		vn->refs--;
}

void mapping_add(struct region *r)
{
	list_init(&r->mapping);
}

void mapping_del(struct region *r)
{
}

void shared_get(struct shared_pages *sh)
{
	sh->refs++;
}

void shared_put(struct shared_pages *sh)
{
	sh->refs--;
}

static struct list regions = LIST_INIT(regions);

static struct region *add(unsigned long start, unsigned long end, unsigned prot, struct vnode *vn,
			  uint64_t offset)
{
	struct region *r = kmalloc(sizeof(*r), ALLOC_ZERO);

	r->start = start * PAGE_SIZE;
	r->end = end * PAGE_SIZE;
	r->prot = prot;
	r->file_end = ~0ul;
	if (vn) {
		r->vnode = vnode_get(vn);
		r->offset = offset * PAGE_SIZE;
	}
	regions_insert(&regions, r);
	return r;
}

static void clear(void)
{
	while (!list_empty(&regions)) {
		struct region *r = list_first(&regions, struct region, link);

		list_del(&r->link);
		region_free(r);
	}
}

static unsigned length(void)
{
	struct region *r;
	unsigned n = 0;

	list_for_each (r, &regions, link)
		n++;
	return n;
}

TEST(look_up)
{
	struct region *a = add(16, 20, 1, NULL, 0), *b = add(20, 22, 3, NULL, 0);
	struct region *c = add(30, 31, 1, NULL, 0);

	CHECK(region_find(&regions, 16 * PAGE_SIZE) == a);
	CHECK(region_find(&regions, 20 * PAGE_SIZE - 1) == a);
	CHECK(region_find(&regions, 20 * PAGE_SIZE) == b);
	CHECK(region_find(&regions, 15 * PAGE_SIZE) == NULL);
	CHECK(region_find(&regions, 25 * PAGE_SIZE) == NULL);
	CHECK(region_above(&regions, 25 * PAGE_SIZE) == c);
	CHECK(region_above(&regions, 31 * PAGE_SIZE) == NULL);
	CHECK(region_before(&regions, a) == NULL && region_before(&regions, c) == b);
	CHECK(regions_cover(&regions, 17 * PAGE_SIZE, 22 * PAGE_SIZE));
	CHECK(!regions_cover(&regions, 17 * PAGE_SIZE, 23 * PAGE_SIZE));
	CHECK(!regions_cover(&regions, 15 * PAGE_SIZE, 17 * PAGE_SIZE));
	CHECK(regions_overlap(&regions, 21 * PAGE_SIZE, 25 * PAGE_SIZE));
	CHECK(!regions_overlap(&regions, 22 * PAGE_SIZE, 30 * PAGE_SIZE));
	clear();
}

TEST(cut_and_join_keep_offsets)
{
	struct region *r = add(100, 110, 1, &file, 50), *s;

	CHECK_EQ(regions_cut(&regions, 100 * PAGE_SIZE), 0);
	CHECK_EQ(regions_cut(&regions, 110 * PAGE_SIZE), 0);
	CHECK_EQ(regions_cut(&regions, 104 * PAGE_SIZE), 1);
	REQUIRE_EQ(length(), 2);
	s = region_find(&regions, 104 * PAGE_SIZE);
	CHECK(s != r && r->end == s->start);
	CHECK_EQ(s->offset, 54 * PAGE_SIZE);
	CHECK_EQ(file.refs, 2);
	s->prot = 3;
	CHECK_EQ(regions_merge(&regions, 100 * PAGE_SIZE, 110 * PAGE_SIZE), 0);
	s->prot = 1;
	CHECK_EQ(regions_merge(&regions, 104 * PAGE_SIZE, 110 * PAGE_SIZE), 1);
	CHECK_EQ(length(), 1);
	CHECK_EQ(r->end, 110 * PAGE_SIZE);
	CHECK_EQ(file.refs, 1);
	clear();
	CHECK_EQ(file.refs, 0);
}

TEST(only_what_is_alike_is_joined)
{
	add(10, 11, 1, &file, 0);
	add(11, 12, 1, &file, 5); /* not the next page of the file */
	add(12, 13, 1, NULL, 0);
	add(13, 14, 1, NULL, 9); /* offsets mean nothing without a file */
	add(15, 16, 1, NULL, 0);
	CHECK_EQ(regions_merge(&regions, 0, 20 * PAGE_SIZE), 1);
	CHECK_EQ(length(), 4);
	clear();
}

TEST(gaps)
{
	unsigned long p = PAGE_SIZE;
	struct region *stack;

	CHECK_EQ(regions_gap(&regions, 10 * p, 20 * p, 5 * p, 0), 10 * p);
	CHECK_EQ(regions_gap(&regions, 10 * p, 20 * p, 11 * p, 0), 0);
	CHECK_EQ(regions_gap(&regions, 10 * p, 20 * p, 0, 0), 0);
	add(10, 12, 1, NULL, 0);
	add(14, 16, 1, NULL, 0);
	CHECK_EQ(regions_gap(&regions, 10 * p, 20 * p, 2 * p, 0), 12 * p);
	CHECK_EQ(regions_gap(&regions, 10 * p, 20 * p, 3 * p, 0), 16 * p);
	CHECK_EQ(regions_gap(&regions, 10 * p, 20 * p, 5 * p, 0), 0);
	CHECK_EQ(regions_gap(&regions, 13 * p, 20 * p, 1 * p, 0), 13 * p);
	/* A stack keeps the room that it may grow into, and a page below that. */
	stack = add(40, 41, 3, NULL, 0);
	stack->flags = REGION_STACK;
	CHECK_EQ(regions_gap(&regions, 16 * p, 60 * p, 14 * p, 10 * p), 16 * p);
	CHECK_EQ(regions_gap(&regions, 16 * p, 60 * p, 15 * p, 10 * p), 41 * p);
	clear();
}

#define MODEL 64

/* Map, unmap and protect at random; prot of each page as the model has it, 0xff: nothing. */
TEST(random_changes_match_a_model)
{
	unsigned char model[MODEL];
	struct region *r, *next;

	for (int i = 0; i < MODEL; i++)
		model[i] = 0xff;
	for (int step = 0; step < 20000; step++) {
		unsigned a = test_random() % MODEL, n = 1 + test_random() % 8;
		unsigned b = a + n > MODEL ? MODEL : a + n, prot = test_random() % 3;
		unsigned what = test_random() % 3;

		REQUIRE(regions_cut(&regions, a * PAGE_SIZE) >= 0);
		REQUIRE(regions_cut(&regions, b * PAGE_SIZE) >= 0);
		if (what == 0 && !regions_overlap(&regions, a * PAGE_SIZE, b * PAGE_SIZE)) {
			add(a, b, prot, &file, a);
			for (unsigned i = a; i < b; i++)
				model[i] = prot;
		}
		list_for_each_safe (r, next, &regions, link) {
			if (r->start < a * PAGE_SIZE || r->start >= b * PAGE_SIZE || what == 0)
				continue;
			for (unsigned long i = r->start; i < r->end; i += PAGE_SIZE)
				model[i / PAGE_SIZE] = what == 1 ? 0xff : prot;
			r->prot = prot;
			if (what == 1) {
				list_del(&r->link);
				region_free(r);
			}
		}
		regions_merge(&regions, a * PAGE_SIZE, b * PAGE_SIZE);
		for (unsigned i = 0; i < MODEL; i++) {
			r = region_find(&regions, i * PAGE_SIZE);
			REQUIRE_EQ(r ? r->prot : 0xff, model[i]);
			if (r)
				REQUIRE_EQ(region_offset(r, i * PAGE_SIZE), i * PAGE_SIZE);
		}
		/* Never two neighbours that could be one. */
		list_for_each (r, &regions, link)
			if (r->link.next != &regions) {
				next = list_entry(r->link.next, struct region, link);
				REQUIRE(r->end < next->start || r->prot != next->prot);
			}
	}
	clear();
	CHECK_EQ(file.refs, 0);
}
