/* SPDX-License-Identifier: MIT */
/*
 * The buddy system: free memory is kept as blocks of 2^order pages, each at a multiple of its size.
 * A block that is too large is halved; a block that comes back looks at its buddy, the other
 * half of the block of the next order (its number differs in one bit), and the two become one again
 * if that is free as a whole. A free block is known by its first page: PG_BUDDY and `order`.
 */
#include <printk.h>
#include "buddy.h"

void buddy_init(struct buddy *b)
{
	for (unsigned i = 0; i < BUDDY_ORDERS; i++) {
		list_init(&b->free[i]);
		b->blocks[i] = 0;
	}
	b->nr_free = 0;
}

static void block_put(struct buddy *b, struct page *pg, unsigned order)
{
	pg->flags = PG_BUDDY;
	pg->order = order;
	list_add(&b->free[order], &pg->link);
	b->blocks[order]++;
}

static void block_take(struct buddy *b, struct page *pg)
{
	list_del(&pg->link);
	b->blocks[pg->order]--;
	pg->flags = 0;
}

void buddy_free(struct buddy *b, struct page *pg, unsigned order)
{
	unsigned long pfn = page_pfn(pg).v;

	KASSERT(order < BUDDY_ORDERS && !(pg->flags & PG_BUDDY));
	b->nr_free += 1ul << order;
	while (order + 1 < BUDDY_ORDERS) {
		unsigned long other = pfn ^ (1ul << order);

		if (other >= nr_pages || !(pages[other].flags & PG_BUDDY) ||
		    pages[other].order != order)
			break;
		block_take(b, &pages[other]);
		pfn &= other;
		order++;
	}
	block_put(b, &pages[pfn], order);
}

struct page *buddy_alloc(struct buddy *b, unsigned order)
{
	unsigned o = order;
	struct page *pg;

	while (o < BUDDY_ORDERS && list_empty(&b->free[o]))
		o++;
	if (o >= BUDDY_ORDERS)
		return NULL;
	pg = list_first(&b->free[o], struct page, link);
	block_take(b, pg);
	while (o > order) {
		o--;
		block_put(b, pg + (1ul << o), o);
	}
	b->nr_free -= 1ul << order;
	return pg;
}

void buddy_add(struct buddy *b, unsigned long first, unsigned long n)
{
	while (n) {
		unsigned order = 0;

		while (order + 1 < BUDDY_ORDERS && !(first & ((2ul << order) - 1)) &&
		       n >= 2ul << order)
			order++;
		buddy_free(b, &pages[first], order);
		first += 1ul << order;
		n -= 1ul << order;
	}
}
