/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef MM_ROOM_H
#define MM_ROOM_H

#include <mm.h>
#include <parvix/mman.h>

void page_lock_init(void);

/* Memory kept for reuse: how much, and give it back (returns pages). No spinlock held. */
unsigned long slab_spare_pages(void);
unsigned long slab_reclaim(void);
unsigned long kvm_spare_pages(void);
unsigned long kvm_reclaim(void);

/*
 * Anonymous memory that processes share: its pages by index, made at the first touch. A reference
 * for each region that shows it. The lock guards page[]; taken with an aspace mutex held.
 */
struct shared_pages {
	volatile int refs;
	mutex_t lock;
	unsigned long n;
	struct page *page[];
};
#define SHARED_MAX (1ul << 18)                       /* pages: 1 GiB */
struct shared_pages *shared_create(unsigned long n); /* NULL: no memory */
void shared_get(struct shared_pages *sh);
void shared_put(struct shared_pages *sh);
/* Page @index with a reference; NULL: no memory. */
struct page *shared_page(struct shared_pages *sh, unsigned long index);

/* mapping.c: a region with a vnode comes, goes. */
void mapping_add(struct region *r);
void mapping_del(struct region *r);

/* The byte of the file (or of the shared pages) that is at @va. */
static inline uint64_t region_offset(const struct region *r, unsigned long va)
{
	return r->offset + (va - r->start);
}

/*
 * Does the file's part of @r end inside the page at @va, so that the rest of it must be zeros?
 * Behind the end of what cannot be written there is nothing that a program could mean: such a page
 * is mapped as it is, with whatever follows in the file.
 */
static inline bool region_ends_in(const struct region *r, unsigned long va)
{
	return (r->prot & PROT_WRITE) && region_offset(r, va) + PAGE_SIZE > r->file_end;
}

/* Bits of an entry in @r: without PTE_W, which is for the caller to decide. */
static inline uint64_t region_pte_flags(const struct region *r)
{
	return PTE_P | PTE_U | (r->prot & PROT_EXEC ? 0 : PTE_NX);
}

/*
 * fault.c: make the page at @va present as @r says, writable if @write; in force on return. Returns
 * how (enum fault_kind), or -ENOMEM, -EIO. Lock held or space private.
 */
enum fault_kind {
	FAULT_NONE,  /* was as wanted */
	FAULT_ZERO,  /* fresh page of zeros */
	FAULT_FILE,  /* page of the cache */
	FAULT_COPY,  /* copied: page of a file, or copy-on-write */
	FAULT_REUSE, /* copy-on-write, nobody else has the page any more */
	FAULT_SHARED,
};
int fault_in(struct aspace *as, struct region *r, unsigned long va, bool write);
/* The region of @va; a stack is grown to it if its limit allows. NULL: none. */
struct region *fault_region(struct aspace *as, unsigned long va);

/* Pages that lost their place in a PROT_NONE region (park.c). */
int park_page(struct aspace *as, struct page *pg, unsigned long va);
bool park_holds(const struct aspace *as, unsigned long va);
struct page *park_take(struct aspace *as, unsigned long va);
void park_drop(struct aspace *as, unsigned long start, unsigned long end);
int park_copy(struct aspace *from, struct aspace *to);

/* A walk over the entries of a range that are not empty. */
struct walk {
	struct mmu *mmu;
	unsigned long va, end;
	pte_t *slot;
};

/* The first entry at or after w->va, which is moved there; NULL: none is left below w->end. Go on
 * by adding PAGE_SIZE to w->va. */
static inline pte_t *walk_next(struct walk *w)
{
	for (; w->va < w->end; w->va += PAGE_SIZE) {
		if (w->slot && PT_INDEX(w->va, 1) != 0) {
			w->slot++;
		} else {
			w->va = mmu_next(w->mmu, w->va);
			if (w->va >= w->end)
				return NULL;
			w->slot = mmu_slot(w->mmu, w->va, false);
			if (!w->slot)
				return NULL;
		}
		if (w->slot->v)
			return w->slot;
	}
	return NULL;
}

#endif
