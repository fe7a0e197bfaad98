/* SPDX-License-Identifier: MIT */
/*
 * From a file to the address spaces that show it.
 *
 * Each file (its page cache) has a list of the regions that map it, for the two occasions on which
 * the file's side has to change page tables:
 *
 *   the file becomes shorter   pages behind its new end leave every table, private copies of them
 *                              too: the next access is a fault, and that one a SIGBUS
 *   pages are written out      they lose their write permission first, so that the next write
 *                              through a mapping is a fault that makes the page dirty again. So an
 *                              entry that may be written means a dirty page, at any time, and
 *                              nobody has to look for pages that a program changed behind our back
 *
 * A pass over the list takes one address space after the other, with its lock, and so cannot hold
 * the list's. Regions already seen are at its tail, with the number of the pass; new ones come in
 * at its head without it: the pass is over when the first one has been seen. A region that comes
 * while the pass is going on may be seen for nothing, but a copy that fork makes of a region that
 * was seen too early is seen once more.
 *
 * Why a page that comes into a table meanwhile does no harm: a fault holds the space's lock from
 * its look at the file's size to the entry. Before our turn we find the entry, afterwards the fault
 * finds the new size (the page clean).
 */
#include <fs.h>
#include <mm.h>
#include "region.h"
#include "room.h"

static spinlock_t mappings_lock = SPINLOCK("mappings");

void mapping_add(struct region *r)
{
	struct list *mappings = &r->vnode->pcache.mappings;

	spin_lock(&mappings_lock);
	r->seen = 0;
	list_add(mappings, &r->mapping);
	spin_unlock(&mappings_lock);
}

void mapping_del(struct region *r)
{
	spin_lock(&mappings_lock);
	list_del(&r->mapping);
	spin_unlock(&mappings_lock);
}

static void move_to_tail(struct pcache *pc, struct region *r, uint64_t pass)
{
	r->seen = pass;
	list_del(&r->mapping);
	list_add_tail(&pc->mappings, &r->mapping);
}

/* An address space, referenced, with a region that was not seen yet; NULL: none is left. One whose
 * last reference has gone needs nothing any more. */
static struct aspace *next_aspace(struct pcache *pc, uint64_t pass)
{
	struct aspace *found = NULL;

	spin_lock(&mappings_lock);
	while (!found && !list_empty(&pc->mappings)) {
		struct region *r = list_first(&pc->mappings, struct region, mapping);

		if (r->seen == pass)
			break;
		move_to_tail(pc, r, pass);
		if (aspace_tryget(r->as))
			found = r->as;
	}
	spin_unlock(&mappings_lock);
	return found;
}

/* Where pages [first, last] of the file are in @r: false if nowhere. What lies behind file_end is
 * not the file's. */
static bool place_in(const struct region *r, uint64_t first, uint64_t last, unsigned long *start,
		     unsigned long *end)
{
	uint64_t from = r->offset >> PAGE_SHIFT;
	uint64_t to = from + ((r->end - r->start) >> PAGE_SHIFT);

	if (r->file_end != ~0ull)
		to = min(to, DIV_ROUND_UP(r->file_end, PAGE_SIZE));
	if (first >= to || last < from)
		return false;
	*start = r->start + ((max(first, from) - from) << PAGE_SHIFT);
	*end = last < to ? r->start + ((last + 1 - from) << PAGE_SHIFT)
			 : r->start + ((to - from) << PAGE_SHIFT);
	return true;
}

/* Do @fn for every place of pages [first, last] of @vn, its space's lock held. vn->lock held. */
static void for_each_place(struct vnode *vn, uint64_t first, uint64_t last,
			   void (*fn)(struct aspace *as, const struct region *r,
				      unsigned long start, unsigned long end))
{
	struct pcache *pc = &vn->pcache;
	uint64_t pass = ++pc->pass;
	unsigned long start, end;
	struct aspace *as;
	struct region *r;

	while ((as = next_aspace(pc, pass))) {
		mutex_lock(&as->lock);
		list_for_each (r, &as->regions, link) {
			if (r->vnode != vn)
				continue;
			spin_lock(&mappings_lock);
			move_to_tail(pc, r, pass);
			spin_unlock(&mappings_lock);
			if (place_in(r, first, last, &start, &end))
				fn(as, r, start, end);
		}
		mutex_unlock(&as->lock);
		aspace_put(as);
	}
}

static void cut_off(struct aspace *as, const struct region *r, unsigned long start,
		    unsigned long end)
{
	(void)r;
	aspace_forget(as, start, end);
}

void mappings_truncate(struct vnode *vn, uint64_t first)
{
	if (!list_empty(&vn->pcache.mappings))
		for_each_place(vn, first, ~0ull, cut_off);
}

static void write_protect(struct aspace *as, const struct region *r, unsigned long start,
			  unsigned long end)
{
	struct walk w = {.mmu = &as->mmu, .va = start, .end = end};
	pte_t *slot;

	if (!(r->flags & REGION_SHARED) || !(r->prot & PROT_WRITE))
		return;
	for (; (slot = walk_next(&w)); w.va += PAGE_SIZE)
		if (slot->v & PTE_W)
			mmu_set(&as->mmu, w.va, slot, (pte_t){slot->v & ~(PTE_W | PTE_D)});
	mmu_commit();
}

void mappings_clean(struct vnode *vn, uint64_t first, uint64_t last)
{
	if (!list_empty(&vn->pcache.mappings))
		for_each_place(vn, first, last, write_protect);
}
