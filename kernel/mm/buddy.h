/* SPDX-License-Identifier: MIT */
/*
 * Free blocks of 2^order pages. No locks, no reference counts: page.c, its only user in the kernel,
 * has those. Pages are those of the array `pages`, of nr_pages entries.
 */
#ifndef BUDDY_H
#define BUDDY_H

#include <mm.h>

#define BUDDY_ORDERS 11 /* up to 4 MiB in one block */

struct buddy {
	struct list free[BUDDY_ORDERS];
	unsigned long blocks[BUDDY_ORDERS];
	unsigned long nr_free; /* pages */
};

void buddy_init(struct buddy *b);
/* Frames [first, first + n) become free; they were in no block before. */
void buddy_add(struct buddy *b, unsigned long first, unsigned long n);
/* First page of a block, or NULL. */
struct page *buddy_alloc(struct buddy *b, unsigned order);
void buddy_free(struct buddy *b, struct page *pg, unsigned order);

#endif
