/* SPDX-License-Identifier: MIT */
/*
 * Anonymous memory shared over fork (MAP_SHARED | MAP_ANONYMOUS). It must be the same page for all
 * who see it even if it is first touched after the fork, so the pages are found through an object
 * that all regions refer to, not through page tables.
 */
#include <mm.h>
#include <printk.h>
#include "room.h"

struct shared_pages *shared_create(unsigned long n)
{
	struct shared_pages *sh;

	if (n > SHARED_MAX)
		return NULL;
	sh = kmalloc(sizeof(*sh) + n * sizeof(sh->page[0]), ALLOC_ZERO);
	if (!sh)
		return NULL;
	sh->refs = 1;
	sh->n = n;
	mutex_init(&sh->lock, "shared pages");
	return sh;
}

void shared_get(struct shared_pages *sh)
{
	__atomic_fetch_add(&sh->refs, 1, __ATOMIC_RELAXED);
}

void shared_put(struct shared_pages *sh)
{
	if (__atomic_sub_fetch(&sh->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (unsigned long i = 0; i < sh->n; i++)
		if (sh->page[i])
			page_put(sh->page[i]);
	kfree(sh);
}

struct page *shared_page(struct shared_pages *sh, unsigned long index)
{
	struct page *pg;

	KASSERT(index < sh->n);
	mutex_lock(&sh->lock);
	pg = sh->page[index];
	if (!pg) {
		pg = page_alloc(0, ALLOC_USER | ALLOC_ZERO);
		sh->page[index] = pg;
	}
	if (pg)
		page_get(pg);
	mutex_unlock(&sh->lock);
	return pg;
}
