/* SPDX-License-Identifier: MIT */
/*
 * fork: a copy of an address space.
 *
 * Copy-on-write means that both sides get the same pages, read-only, and the first to write gets a
 * copy. What that costs differs between the worlds. The child's tables are new: filled by stores
 * and made live in one call. But the parent's are live, and taking away its write permission is an
 * update of each entry: natively a store and one flush at the end, under PV a piece of a hypercall
 * with Xen's accounting for every page. And each page that is then written costs a fault, of the
 * parent, of the child, or of both. A copy of 4 KiB is 512 moves of a word; a fault is several
 * thousand instructions under PV. So:
 *
 *   - the first COPY_NOW writable pages of the parent (those it has written to: the stack, at whose
 *     top both go on at once, first of all) are copied now. No entry of the parent changes for
 * them, and neither side faults.
 *   - the others are write-protected in one batch and shared: copy-on-write.
 *   - pages of files are shared; those that the parent has not used (PTE_A is clear: mapped in
 *     advance) are not even mentioned.
 *   - shared mappings share, by their nature.
 *
 * If memory runs out in between, the half-made child is dropped, and with it its references. The
 * parent's entries stay read-only; a fault finds the page used once and makes it writable again.
 */
#include <fs.h>
#include <mm.h>
#include <parvix/mman.h>
#include <printk.h>
#include <string.h>
#include "region.h"
#include "room.h"

#define COPY_NOW 24

struct copy {
	struct aspace *from, *to;
	unsigned long stack_page; /* where the parent's stack pointer is */
	unsigned copies_left;     /* pages that may still be copied now */
};

static struct page *copy_now(struct copy *c, struct page *pg, unsigned long va)
{
	struct page *copy;

	/* The last one is kept for the stack, which is met late if it lies high. */
	if (va != c->stack_page && c->copies_left <= 1)
		return NULL;
	copy = page_alloc(0, ALLOC_USER);
	if (!copy)
		return NULL;
	c->copies_left--;
	copy->flags |= PG_ANON;
	copy_page(page_va(copy), page_va(pg));
	count(pages_copied);
	return copy;
}

/* What the child gets for the parent's entry @slot; the parent's is changed if it must be. 0: none.
 */
static pte_t child_entry(struct copy *c, const struct region *r, unsigned long va, pte_t *slot)
{
	struct page *pg = pfn_page(pte_pfn(*slot)), *copy;
	pte_t pte = *slot;

	if (!(r->flags & REGION_SHARED)) {
		if (!(pg->flags & PG_ANON) && !(pte.v & PTE_A))
			return PTE_NONE;
		if (pte.v & PTE_W) {
			copy = copy_now(c, pg, va);
			if (copy)
				return pte_make(page_pfn(copy), pte.v & ~PTE_FRAME);
			pte.v &= ~PTE_W;
			mmu_set(&c->from->mmu, va, slot, pte);
		}
	}
	page_get(pg);
	return pte;
}

static int copy_pages(struct copy *c, const struct region *r)
{
	struct walk w = {.mmu = &c->from->mmu, .va = r->start, .end = r->end};
	pte_t *slot, *to = NULL;
	unsigned long to_va = 0;

	for (; (slot = walk_next(&w)); w.va += PAGE_SIZE) {
		pte_t pte;

		if (!to || w.va / PT_SPAN(2) != to_va / PT_SPAN(2))
			to = mmu_slot(&c->to->mmu, w.va, true);
		else
			to += (w.va - to_va) / PAGE_SIZE;
		to_va = w.va;
		if (!to)
			return -ENOMEM;
		pte = child_entry(c, r, w.va, slot);
		if (!pte.v)
			continue;
		mmu_set(&c->to->mmu, w.va, to, pte);
		c->to->pages++;
	}
	return 0;
}

static int copy_regions(struct copy *c)
{
	struct region *r, *dup;

	list_for_each (r, &c->from->regions, link) {
		dup = region_dup(r, c->to);
		if (!dup)
			return -ENOMEM;
		list_add_tail(&c->to->regions, &dup->link);
		c->to->nr_regions++;
		if (copy_pages(c, dup))
			return -ENOMEM;
	}
	return list_empty(&c->from->parked) ? 0 : park_copy(c->from, c->to);
}

int aspace_fork(struct aspace *parent, struct aspace **child, unsigned long user_rsp)
{
	struct aspace *as = aspace_create();
	struct copy c = {parent, as, ROUND_DOWN(user_rsp, PAGE_SIZE), COPY_NOW};
	int err;

	if (!as)
		return -ENOMEM;
	mutex_lock(&parent->lock);
	/* The file of a region may become shorter meanwhile, and look for it here too. */
	mutex_lock(&as->lock);
	as->brk_start = parent->brk_start;
	as->brk = parent->brk;
	as->stack_limit = parent->stack_limit;
	as->data_limit = parent->data_limit;
	as->size_limit = parent->size_limit;
	as->pages_mapped = parent->pages_mapped;
	as->arg_start = parent->arg_start;
	as->arg_end = parent->arg_end;
	as->env_end = parent->env_end;
	err = copy_regions(&c);
	mmu_commit();
	mutex_unlock(&parent->lock);
	if (!err)
		err = mmu_publish(&as->mmu);
	mutex_unlock(&as->lock);
	if (err) {
		aspace_put(as);
		return -ENOMEM;
	}
	*child = as;
	return 0;
}
