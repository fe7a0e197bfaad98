/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef MM_ROOM_H
#define MM_ROOM_H

#include <mm.h>

void page_lock_init(void);

/* Memory kept for reuse: how much, and give it back (returns pages). No spinlock held. */
unsigned long slab_spare_pages(void);
unsigned long slab_reclaim(void);
unsigned long kvm_spare_pages(void);
unsigned long kvm_reclaim(void);

/*
 * Anonymous memory that processes share: its pages by index, made at the first touch. A reference for
 * each region that shows it. The lock guards page[]; taken with an aspace mutex held.
 */
struct shared_pages {
	volatile int refs;
	mutex_t lock;
	unsigned long n;
	struct page *page[];
};
struct shared_pages *shared_create(unsigned long n); /* NULL: no memory */
void shared_get(struct shared_pages *sh);
void shared_put(struct shared_pages *sh);

#endif
