/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: life, and changes of what is mapped.
 *
 * An address space is a list of regions, which say what should be where, and page tables, which say
 * what is there already. Everything that maps only adds a region; pages come with the faults. What
 * unmaps or protects has to look at the entries, and then the order matters:
 *
 *     queue the changes of up to 64 entries; mmu_commit(); only now drop the references
 *
 * because until the commit the processor may still use the old entries, and a page that is free
 * must not be seen by anybody. (Under PV it could even be made a page table meanwhile, which Xen
 * refuses as long as a writable mapping exists.)
 *
 * At the end of a space nothing of this is needed: the tables are loaded nowhere, and in one call
 * (unpin) they are ordinary memory again, read by plain loads.
 */
#include <fs.h>
#include <mm.h>
#include <parvix/mman.h>
#include <printk.h>
#include <string.h>
#include "region.h"
#include "room.h"

struct aspace *aspace_create(void)
{
	struct aspace *as = kmalloc(sizeof(*as), ALLOC_ZERO);

	if (!as)
		return NULL;
	as->refs = 1;
	mutex_init(&as->lock, "aspace");
	list_init(&as->regions);
	list_init(&as->parked);
	as->stack_limit = 8ul << 20;
	as->data_limit = as->size_limit = ~0ul;
	if (mmu_create(&as->mmu)) {
		kfree(as);
		return NULL;
	}
	return as;
}

void aspace_limits(struct aspace *as, const struct parvix_rlimit *limits)
{
	as->stack_limit = limits[RLIMIT_STACK].rlim_cur;
	as->data_limit = limits[RLIMIT_DATA].rlim_cur;
	as->size_limit = limits[RLIMIT_AS].rlim_cur;
}

void aspace_get(struct aspace *as)
{
	__atomic_fetch_add(&as->refs, 1, __ATOMIC_RELAXED);
}

bool aspace_tryget(struct aspace *as)
{
	int refs = as->refs;

	while (refs && !__atomic_compare_exchange_n(&as->refs, &refs, refs + 1, false,
						    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		;
	return refs;
}

static void destroy_pages(struct aspace *as)
{
	struct region *r;

	list_for_each (r, &as->regions, link) {
		struct walk w = {.mmu = &as->mmu, .va = r->start, .end = r->end};
		pte_t *slot;

		for (; (slot = walk_next(&w)); w.va += PAGE_SIZE)
			page_put(pfn_page(pte_pfn(*slot)));
	}
}

void aspace_put(struct aspace *as)
{
	if (__atomic_sub_fetch(&as->refs, 1, __ATOMIC_ACQ_REL))
		return;
	mmu_retire(&as->mmu);
	destroy_pages(as);
	park_drop(as, 0, USER_END);
	mmu_destroy(&as->mmu);
	while (!list_empty(&as->regions)) {
		struct region *r = list_first(&as->regions, struct region, link);

		list_del(&r->link);
		region_free(r);
	}
	kfree(as);
}

static bool range_ok(unsigned long start, unsigned long end)
{
	return start >= USER_START && end <= USER_END && start < end &&
	       !((start | end) & (PAGE_SIZE - 1));
}

/* What RLIMIT_DATA is about: memory that is the process's own and can be written. */
static bool is_data(unsigned prot, unsigned flags)
{
	return (prot & PROT_WRITE) && !(flags & (REGION_SHARED | REGION_STACK));
}

static unsigned long data_size(const struct aspace *as)
{
	const struct region *r;
	unsigned long n = 0;

	list_for_each (r, &as->regions, link)
		n += is_data(r->prot, r->flags) ? r->end - r->start : 0;
	return n;
}

/* Is there room in the limits for @n bytes more? What no machine of this size could ever hold is
 * refused at once. */
static bool within_limits(struct aspace *as, unsigned long n, unsigned prot, unsigned flags)
{
	unsigned long have = as->pages_mapped * PAGE_SIZE;

	if (flags & REGION_STACK)
		return true;
	if ((prot & PROT_WRITE) && n / PAGE_SIZE > pages_total())
		return false;
	if (n > as->size_limit || have > as->size_limit - n)
		return false;
	if (likely(as->data_limit == RLIM_INFINITY) || !is_data(prot, flags))
		return true;
	return n <= as->data_limit && data_size(as) <= as->data_limit - n;
}

int aspace_map(struct aspace *as, unsigned long start, unsigned long end, unsigned prot,
	       unsigned flags, struct vnode *vn, uint64_t offset, uint64_t file_end)
{
	struct region *r;

	if (!range_ok(start, end) || (vn && (offset & (PAGE_SIZE - 1))))
		return -EINVAL;
	if (regions_overlap(&as->regions, start, end))
		return -EEXIST;
	if (as->nr_regions >= REGIONS_MAX || !within_limits(as, end - start, prot, flags))
		return -ENOMEM;
	r = kmalloc(sizeof(*r), ALLOC_ZERO);
	if (!r)
		return -ENOMEM;
	r->start = start;
	r->end = end;
	r->prot = prot;
	r->flags = flags;
	r->file_end = ~0ull;
	if (vn) {
		r->vnode = vnode_get(vn);
		r->offset = offset;
		r->file_end = file_end;
		r->as = as;
		mapping_add(r);
	} else if (flags & REGION_SHARED) {
		r->shared = shared_create((end - start) / PAGE_SIZE);
		if (!r->shared) {
			kfree(r);
			return -ENOMEM;
		}
	}
	regions_insert(&as->regions, r);
	as->nr_regions++;
	as->pages_mapped += (end - start) / PAGE_SIZE;
	as->nr_regions -= regions_merge(&as->regions, start, end);
	return 0;
}

/* Pages that lost their entries and wait for the commit. */
struct gather {
	unsigned n;
	struct page *pages[64];
};

static void gather_flush(struct gather *g)
{
	mmu_commit();
	while (g->n)
		page_put(g->pages[--g->n]);
}

static void gather_add(struct gather *g, struct page *pg)
{
	g->pages[g->n++] = pg;
	if (g->n == ARRAY_SIZE(g->pages))
		gather_flush(g);
}

static void unmap_pages(struct aspace *as, unsigned long start, unsigned long end)
{
	struct walk w = {.mmu = &as->mmu, .va = start, .end = end};
	struct gather g = {.n = 0};
	pte_t *slot;

	for (; (slot = walk_next(&w)); w.va += PAGE_SIZE) {
		struct page *pg = pfn_page(pte_pfn(*slot));

		mmu_set(&as->mmu, w.va, slot, PTE_NONE);
		as->pages--;
		gather_add(&g, pg);
	}
	gather_flush(&g);
}

void aspace_forget(struct aspace *as, unsigned long start, unsigned long end)
{
	unmap_pages(as, start, end);
	if (!list_empty(&as->parked))
		park_drop(as, start, end);
}

/* Make @start and @end borders of regions. */
static int cut_both(struct aspace *as, unsigned long start, unsigned long end)
{
	int n = regions_cut(&as->regions, start);

	if (n < 0)
		return n;
	as->nr_regions += n;
	n = regions_cut(&as->regions, end);
	if (n < 0)
		return n;
	as->nr_regions += n;
	return 0;
}

int aspace_unmap(struct aspace *as, unsigned long start, unsigned long end)
{
	struct region *r, *next;
	int err;

	if (start >= end || end > USER_END || ((start | end) & (PAGE_SIZE - 1)))
		return -EINVAL;
	err = cut_both(as, start, end);
	if (err)
		return err;
	list_for_each_safe (r, next, &as->regions, link) {
		if (r->start < start)
			continue;
		if (r->start >= end)
			break;
		unmap_pages(as, r->start, r->end);
		as->pages_mapped -= (r->end - r->start) / PAGE_SIZE;
		as->nr_regions--;
		list_del(&r->link);
		region_free(r);
	}
	if (!list_empty(&as->parked))
		park_drop(as, start, end);
	return 0;
}

/* @r becomes PROT_NONE: its pages leave the table. What could be found again is simply dropped. */
static int protect_none(struct aspace *as, struct region *r)
{
	struct walk w = {.mmu = &as->mmu, .va = r->start, .end = r->end};
	pte_t *slot;
	int err = 0;

	for (; !err && (slot = walk_next(&w)); w.va += PAGE_SIZE) {
		pte_t old = *slot;
		struct page *pg = pfn_page(pte_pfn(old));

		mmu_set(&as->mmu, w.va, slot, PTE_NONE);
		mmu_commit();
		as->pages--;
		if (pg->flags & PG_ANON) {
			err = park_page(as, pg, w.va);
			if (!err)
				continue;
			mmu_set(&as->mmu, w.va, slot, old);
			as->pages++;
		} else {
			page_put(pg);
		}
	}
	mmu_commit();
	return err;
}

/* Entries of @r, which has its new protection already. Writing is granted at once to pages that are
 * nobody else's, to others by the copy-on-write fault. */
static void protect_pages(struct aspace *as, struct region *r)
{
	struct walk w = {.mmu = &as->mmu, .va = r->start, .end = r->end};
	pte_t *slot;

	for (; (slot = walk_next(&w)); w.va += PAGE_SIZE) {
		struct page *pg = pfn_page(pte_pfn(*slot));
		uint64_t bits = (slot->v & ~(PTE_W | PTE_NX)) | region_pte_flags(r);

		if ((r->prot & PROT_WRITE) &&
		    ((slot->v & PTE_W) || r->shared || ((pg->flags & PG_ANON) && pg->refs == 1)))
			bits |= PTE_W;
		if (bits != slot->v)
			mmu_set(&as->mmu, w.va, slot, (pte_t){bits});
	}
	mmu_commit();
}

static int protect_region(struct aspace *as, struct region *r, unsigned prot)
{
	int err = 0;

	if (r->prot == prot)
		return 0;
	if (prot == PROT_NONE) {
		err = protect_none(as, r);
		if (!err)
			r->prot = prot;
		return err;
	}
	r->prot = prot;
	protect_pages(as, r);
	return 0;
}

int aspace_protect(struct aspace *as, unsigned long start, unsigned long end, unsigned prot)
{
	struct region *r;
	int err;

	if (start >= end || ((start | end) & (PAGE_SIZE - 1)))
		return -EINVAL;
	if (end > USER_END || !regions_cover(&as->regions, start, end))
		return -ENOMEM;
	list_for_each (r, &as->regions, link)
		if (r->end > start && r->start < end && (prot & PROT_WRITE) &&
		    (r->flags & REGION_NOWRITE))
			return -EACCES;
	err = as->nr_regions + 2 > REGIONS_MAX ? -ENOMEM : cut_both(as, start, end);
	list_for_each (r, &as->regions, link) {
		if (err || r->start >= end)
			break;
		if (r->start >= start)
			err = protect_region(as, r, prot);
	}
	as->nr_regions -= regions_merge(&as->regions, start, end);
	return err;
}

unsigned long aspace_find(struct aspace *as, unsigned long hint, unsigned long size)
{
	hint = ROUND_DOWN(hint, PAGE_SIZE);
	size = ROUND_UP(size, PAGE_SIZE);
	if (hint >= USER_START && hint < USER_END && size && size <= USER_END - hint &&
	    regions_gap(&as->regions, hint, hint + size, size, as->stack_limit) == hint)
		return hint;
	return regions_gap(&as->regions, MMAP_BASE, USER_END, size, as->stack_limit);
}

static int heap_grow(struct aspace *as, unsigned long old_end, unsigned long new_end)
{
	return aspace_map(as, old_end, new_end, PROT_READ | PROT_WRITE, REGION_HEAP, NULL, 0,
			  ~0ull);
}

unsigned long aspace_brk(struct aspace *as, unsigned long new_brk)
{
	unsigned long old_end, new_end;
	int err = 0;

	mutex_lock(&as->lock);
	if (new_brk >= as->brk_start && new_brk <= USER_END) {
		old_end = ROUND_UP(as->brk, PAGE_SIZE);
		new_end = ROUND_UP(new_brk, PAGE_SIZE);
		if (new_end > old_end)
			err = heap_grow(as, old_end, new_end);
		else if (new_end < old_end)
			err = aspace_unmap(as, new_end, old_end);
		if (!err)
			as->brk = new_brk;
	}
	new_brk = as->brk;
	mutex_unlock(&as->lock);
	return new_brk;
}

size_t aspace_describe(struct aspace *as, char *buf, size_t size)
{
	struct region *r;
	size_t n = 0;

	mutex_lock(&as->lock);
	list_for_each (r, &as->regions, link) {
		dev_t dev = r->vnode && r->vnode->mount ? r->vnode->mount->dev : 0;

		if (size - n < 100)
			break;
		n += snprintk(buf + n, size - n, "%08lx-%08lx %c%c%c%c %08lx %02lx:%02lx %lu%s\n",
			      r->start, r->end, r->prot & PROT_READ ? 'r' : '-',
			      r->prot & PROT_WRITE ? 'w' : '-', r->prot & PROT_EXEC ? 'x' : '-',
			      r->flags & REGION_SHARED ? 's' : 'p', r->vnode ? r->offset : 0,
			      dev >> 20, dev & 0xfffff, r->vnode ? r->vnode->ino : 0,
			      r->flags & REGION_STACK  ? " [stack]"
			      : r->flags & REGION_HEAP ? " [heap]"
						       : "");
	}
	mutex_unlock(&as->lock);
	return n;
}
