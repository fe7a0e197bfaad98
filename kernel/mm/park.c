/* SPDX-License-Identifier: MIT */
/*
 * Pages of PROT_NONE regions.
 *
 * mprotect(PROT_NONE) takes access away but keeps the contents. Natively one would clear the
 * present bit and leave the frame number in the entry. Under PV an entry that is not present must
 * be 0 (what looks like an address there is an L1TF hazard, and Xen would stop the domain), and one
 * without the user bit is no help, because Xen runs guest kernel and user in the same ring. So the
 * pages leave the table and wait in a list, each with its page number in `index`, until a fault
 * asks for them again. It is rarely used: a list is enough.
 */
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "room.h"

/* Takes over the reference to @pg, a page of @as's own or shared by copy-on-write. */
int park_page(struct aspace *as, struct page *pg, unsigned long va)
{
	if (pg->refs > 1) {
		struct page *copy = page_alloc(0, ALLOC_USER);

		if (!copy)
			return -ENOMEM;
		copy->flags |= PG_ANON;
		copy_page(page_va(copy), page_va(pg));
		page_put(pg);
		pg = copy;
	}
	pg->index = va >> PAGE_SHIFT;
	list_add(&as->parked, &pg->link);
	as->pages++;
	return 0;
}

bool park_holds(const struct aspace *as, unsigned long va)
{
	const struct page *pg;

	list_for_each (pg, &as->parked, link)
		if (pg->index == va >> PAGE_SHIFT)
			return true;
	return false;
}

struct page *park_take(struct aspace *as, unsigned long va)
{
	struct page *pg;

	list_for_each (pg, &as->parked, link) {
		if (pg->index == va >> PAGE_SHIFT) {
			list_del(&pg->link);
			as->pages--;
			return pg;
		}
	}
	return NULL;
}

void park_drop(struct aspace *as, unsigned long start, unsigned long end)
{
	struct page *pg, *next;

	list_for_each_safe (pg, next, &as->parked, link) {
		if (pg->index >= start >> PAGE_SHIFT && pg->index < end >> PAGE_SHIFT) {
			list_del(&pg->link);
			as->pages--;
			page_put(pg);
		}
	}
}

int park_copy(struct aspace *from, struct aspace *to)
{
	struct page *pg;

	list_for_each (pg, &from->parked, link) {
		int err;

		page_get(pg);
		err = park_page(to, pg, pg->index << PAGE_SHIFT);
		if (err) {
			page_put(pg);
			return err;
		}
	}
	return 0;
}
