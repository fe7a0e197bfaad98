/* SPDX-License-Identifier: MIT */
/*
 * What programs may ask and say about memory that is mapped already: write it to its file (msync),
 * it is needed soon or never again (madvise), is it there (mincore), it shall be there (mlock).
 *
 * Locking needs no book-keeping: nothing is ever paged out. An anonymous page leaves memory with
 * its mapping only, and a page of a file that some table shows is not the page cache's to give
 * back. So to lock is to make present, and to unlock is to check the addresses.
 */
#include <fs.h>
#include <mm.h>
#include <parvix/mman.h>
#include <proc.h>
#include "region.h"
#include "room.h"

int aspace_sync(struct aspace *as, unsigned long start, unsigned long end, bool wait)
{
	int err = 0;

	while (start < end) {
		struct vnode *vn = NULL;
		struct region *r;
		int err2;

		mutex_lock(&as->lock);
		r = region_above(&as->regions, start);
		if (!r || r->start > start)
			err = -ENOMEM;
		start = r ? max(r->end, start + PAGE_SIZE) : end;
		if (wait && r && r->vnode && (r->flags & REGION_SHARED) && r->start < end)
			vn = vnode_get(r->vnode);
		mutex_unlock(&as->lock);
		if (!vn)
			continue;
		/* The vnode's lock comes before the space's. */
		err2 = vnode_sync(vn, false);
		vnode_put(vn);
		err = err ? err : err2;
	}
	return err;
}

static void advise_region(struct aspace *as, struct region *r, unsigned long start,
			  unsigned long end, int advice)
{
	switch (advice) {
	case MADV_FREE:
		if (r->vnode || r->shared)
			break;
		/* fall through */
	case MADV_DONTNEED:
		aspace_forget(as, start, end);
		break;
	case MADV_WILLNEED:
		if (r->vnode && r->vnode->ops->map)
			pcache_start_read(r->vnode, region_offset(r, start) >> PAGE_SHIFT,
					  (end - start) >> PAGE_SHIFT);
		break;
	}
}

int aspace_advise(struct aspace *as, unsigned long start, unsigned long end, int advice)
{
	int err = 0;
	struct region *r;

	mutex_lock(&as->lock);
	if (!regions_cover(&as->regions, start, end))
		err = -ENOMEM;
	list_for_each (r, &as->regions, link)
		if (r->end > start && r->start < end)
			advise_region(as, r, max(r->start, start), min(r->end, end), advice);
	mutex_unlock(&as->lock);
	return err;
}

/* Whether the next access to the page at @va will find it in memory. */
static bool resident(struct aspace *as, struct region *r, unsigned long va)
{
	pte_t *slot = mmu_slot(&as->mmu, va, false);
	struct page *pg;

	if ((slot && slot->v) || park_holds(as, va))
		return true;
	if (r->shared)
		return r->shared->page[region_offset(r, va) >> PAGE_SHIFT];
	if (!r->vnode || region_offset(r, va) >= r->file_end)
		return false;
	pg = pcache_find(r->vnode, region_offset(r, va) >> PAGE_SHIFT);
	if (pg)
		page_put(pg);
	return pg;
}

int aspace_resident(struct aspace *as, unsigned long start, unsigned long end, char *out)
{
	int err = 0;

	mutex_lock(&as->lock);
	for (unsigned long va = start; va < end && !err; va += PAGE_SIZE) {
		struct region *r = region_find(&as->regions, va);

		if (r)
			*out++ = resident(as, r, va);
		else
			err = -ENOMEM;
	}
	mutex_unlock(&as->lock);
	return err;
}

int aspace_covered(struct aspace *as, unsigned long start, unsigned long end)
{
	bool whole;

	mutex_lock(&as->lock);
	whole = regions_cover(&as->regions, start, end);
	mutex_unlock(&as->lock);
	return whole ? 0 : -ENOMEM;
}

static int populate_page(struct aspace *as, unsigned long va)
{
	struct region *r;
	int how = -EIO;

	mutex_lock(&as->lock);
	r = region_find(&as->regions, va);
	if (r && r->prot != PROT_NONE)
		how = fault_in(as, r, va, (r->prot & PROT_WRITE) && !(r->flags & REGION_SHARED));
	mutex_unlock(&as->lock);
	return how == -ENOMEM ? -EAGAIN : how < 0 ? -ENOMEM : 0;
}

int aspace_populate(struct aspace *as, unsigned long start, unsigned long end)
{
	int err = 0;

	for (unsigned long va = start; va < end && !err; va += PAGE_SIZE)
		err = current_proc()->killed ? -EINTR : populate_page(as, va);
	return err;
}

int aspace_populate_all(struct aspace *as)
{
	unsigned long at = 0;
	int err = 0;

	while (!err) {
		unsigned long start = 0, end = 0;
		struct region *r;

		mutex_lock(&as->lock);
		r = region_above(&as->regions, at);
		if (r) {
			start = max(r->start, at);
			end = at = r->end;
			if (r->prot == PROT_NONE)
				start = end;
		}
		mutex_unlock(&as->lock);
		if (!r)
			break;
		err = aspace_populate(as, start, end);
		/* Behind the end of a file, or gone meanwhile. */
		if (err == -ENOMEM)
			err = 0;
	}
	return err;
}
