/* SPDX-License-Identifier: MIT */
/*
 * Page faults of user addresses, and whatever else makes a user page present.
 *
 * A fault finds the region, decides what the page should be, and writes one entry. Natively that
 * entry is a store; under PV it is the one hypercall of a fault, and Xen's part of it and of
 * delivering the fault is what a fault costs. So everything here aims at fewer faults rather than
 * at cheaper ones:
 *
 *   anonymous memory   a fresh page, writable at once, even if it was only read: a shared page of
 *                      zeros would cost a second fault at the first write
 *   file, read         the page of the cache itself, and its neighbours in the same 64 KiB in the
 *                      same batch of updates; they are read in if they have to be, because the
 *                      next one would be the next fault
 *   file, written      private mapping: copied at once, not mapped first and copied by a second
 * fault copy-on-write      copied, unless nobody else has the page any more: then it is made
 * writable shared file        mapped read-only until the first write, which has to be told to the
 * file system
 *
 * Entries of cache pages are made without PTE_A, which the processor sets at the first use: so fork
 * knows what the parent really uses, and leaves the rest to the child's own faults.
 */
#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <parvix/mman.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "region.h"
#include "room.h"

#define AROUND_PAGES 16ul
#define OOM_TRIES 40
#define OOM_PAUSE (25 * NSEC_PER_MSEC)

/* The one entry of a fault: in force on return. */
static void set(struct aspace *as, unsigned long va, pte_t *slot, const struct page *pg,
		uint64_t flags)
{
	if (!slot->v)
		as->pages++;
	mmu_set_now(&as->mmu, va, slot, pte_make(page_pfn(pg), flags));
}

/* Bits of an entry for a page that is @as's own. */
static uint64_t own_flags(const struct region *r)
{
	return region_pte_flags(r) | PTE_A | (r->prot & PROT_WRITE ? PTE_W | PTE_D : 0);
}

static int fault_zero(struct aspace *as, struct region *r, unsigned long va, pte_t *slot)
{
	struct page *pg = page_alloc(0, ALLOC_USER | ALLOC_ZERO);

	if (!pg)
		return -ENOMEM;
	pg->flags |= PG_ANON;
	set(as, va, slot, pg, own_flags(r));
	return FAULT_ZERO;
}

static struct page *copy_of(const struct page *pg)
{
	struct page *copy = page_alloc(0, ALLOC_USER);

	if (copy) {
		copy->flags |= PG_ANON;
		copy_page(page_va(copy), page_va(pg));
		count(pages_copied);
	}
	return copy;
}

/* The first write to a page that is mapped read-only. */
static int fault_cow(struct aspace *as, struct region *r, unsigned long va, pte_t *slot)
{
	struct page *old = pfn_page(pte_pfn(*slot)), *pg;

	if ((old->flags & PG_ANON) && old->refs == 1) {
		set(as, va, slot, old, own_flags(r));
		return FAULT_REUSE;
	}
	pg = copy_of(old);
	if (!pg)
		return -ENOMEM;
	count(faults_cow);
	/* The old page may be gone with our reference, so first no entry shows it any more. */
	set(as, va, slot, pg, own_flags(r));
	page_put(old);
	return FAULT_COPY;
}

/* The file's page for @va in @r if the file goes that far; read in if it must be. */
static struct page *neighbour(struct region *r, unsigned long va)
{
	uint64_t offset = region_offset(r, va);
	struct page *pg;

	if (offset >= r->file_end || offset >= r->vnode->size || region_ends_in(r, va) ||
	    pcache_read(r->vnode, offset >> PAGE_SHIFT, &pg))
		return NULL;
	return pg;
}

/* Map the page of the file at @va, @pg, and its neighbours that are not mapped. */
static void fault_around(struct aspace *as, struct region *r, unsigned long va, pte_t *slot,
			 struct page *pg)
{
	unsigned long window = ROUND_DOWN(va, AROUND_PAGES * PAGE_SIZE);
	unsigned long end = min(window + AROUND_PAGES * PAGE_SIZE, r->end);

	mmu_set(&as->mmu, va, slot, pte_make(page_pfn(pg), region_pte_flags(r) | PTE_A));
	as->pages++;
	for (unsigned long a = max(window, r->start); a < end; a += PAGE_SIZE) {
		pte_t *s = slot + ((long)(a - va) >> PAGE_SHIFT);

		/* A parked page was written: the file's is not what belongs there. */
		if (a == va || s->v || park_holds(as, a))
			continue;
		pg = neighbour(r, a);
		if (!pg)
			continue;
		mmu_set(&as->mmu, a, s, pte_make(page_pfn(pg), region_pte_flags(r)));
		as->pages++;
	}
	mmu_commit();
}

/* A page of the file that is to be the process's own: @pg, with zeros behind r->file_end. */
static int fault_file_copy(struct aspace *as, struct region *r, unsigned long va, pte_t *slot,
			   struct page *pg)
{
	struct page *copy = copy_of(pg);

	page_put(pg);
	if (!copy)
		return -ENOMEM;
	if (region_ends_in(r, va)) {
		unsigned long keep = r->file_end - region_offset(r, va);

		memset((char *)page_va(copy) + keep, 0, PAGE_SIZE - keep);
	}
	set(as, va, slot, copy, own_flags(r));
	return FAULT_COPY;
}

static int fault_file(struct aspace *as, struct region *r, unsigned long va, pte_t *slot,
		      bool write)
{
	uint64_t offset = region_offset(r, va);
	struct page *pg;
	int err;

	if (offset >= r->file_end)
		return fault_zero(as, r, va, slot);
	if (offset >= r->vnode->size)
		return -EIO;
	err = pcache_read_around(r->vnode, offset >> PAGE_SHIFT, AROUND_PAGES, &pg);
	if (err)
		return err == -ENOMEM ? -ENOMEM : -EIO;
	if (r->flags & REGION_SHARED) {
		if (write && pcache_mkwrite(r->vnode, pg)) {
			page_put(pg);
			return -EIO;
		}
		set(as, va, slot, pg, region_pte_flags(r) | PTE_A | (write ? PTE_W | PTE_D : 0));
		return FAULT_SHARED;
	}
	if (write || region_ends_in(r, va))
		return fault_file_copy(as, r, va, slot, pg);
	fault_around(as, r, va, slot, pg);
	return FAULT_FILE;
}

static int fault_shared(struct aspace *as, struct region *r, unsigned long va, pte_t *slot)
{
	struct page *pg = shared_page(r->shared, region_offset(r, va) >> PAGE_SHIFT);

	if (!pg)
		return -ENOMEM;
	set(as, va, slot, pg, own_flags(r));
	return FAULT_SHARED;
}

/* A present, read-only page of a shared region is written. */
static int fault_shared_write(struct aspace *as, struct region *r, unsigned long va, pte_t *slot)
{
	struct page *pg = pfn_page(pte_pfn(*slot));

	if (r->vnode && pcache_mkwrite(r->vnode, pg))
		return -EIO;
	set(as, va, slot, pg, own_flags(r));
	return FAULT_SHARED;
}

int fault_in(struct aspace *as, struct region *r, unsigned long va, bool write)
{
	pte_t *slot = mmu_slot(&as->mmu, va, true);
	struct page *pg;

	if (!slot)
		return -ENOMEM;
	if (pte_present(*slot)) {
		if (!write || (slot->v & PTE_W))
			return FAULT_NONE;
		return r->flags & REGION_SHARED ? fault_shared_write(as, r, va, slot)
						: fault_cow(as, r, va, slot);
	}
	if (r->shared)
		return fault_shared(as, r, va, slot);
	if (!list_empty(&as->parked) && (pg = park_take(as, va))) {
		set(as, va, slot, pg, own_flags(r));
		return FAULT_REUSE;
	}
	return r->vnode ? fault_file(as, r, va, slot, write) : fault_zero(as, r, va, slot);
}

struct region *fault_region(struct aspace *as, unsigned long va)
{
	struct region *r = region_above(&as->regions, va), *below;
	unsigned long start = ROUND_DOWN(va, PAGE_SIZE);

	if (!r || r->start <= va)
		return r;
	if (!(r->flags & REGION_STACK) || start < USER_START || r->end - start > as->stack_limit ||
	    as->pages_mapped * PAGE_SIZE + (r->start - start) > as->size_limit)
		return NULL;
	/* One page stays free between the stack and whatever is below it. */
	below = region_before(&as->regions, r);
	if (below && start - below->end < PAGE_SIZE)
		return NULL;
	as->pages_mapped += (r->start - start) / PAGE_SIZE;
	r->start = start;
	return r;
}

static bool allowed(const struct region *r, unsigned err)
{
	if (err & PF_WRITE)
		return r->prot & PROT_WRITE;
	if (err & PF_FETCH)
		return r->prot & PROT_EXEC;
	return r->prot != PROT_NONE;
}

static int fault_once(struct aspace *as, unsigned long addr, unsigned err)
{
	struct region *r;
	int how;

	mutex_lock(&as->lock);
	r = addr < USER_END ? fault_region(as, addr) : NULL;
	if (!r)
		how = -EFAULT;
	else if (!allowed(r, err))
		how = -EACCES;
	else
		how = fault_in(as, r, ROUND_DOWN(addr, PAGE_SIZE), err & PF_WRITE);
	mutex_unlock(&as->lock);
	trace(fault, addr, err, how);
	return how < 0 ? how : 0;
}

/* Let the one that was chosen die, and so give back its memory. */
static void pause_for_memory(void)
{
	thread_prepare_sleep();
	thread_sleep(0, clock_now() + OOM_PAUSE);
}

int aspace_fault(struct aspace *as, unsigned long addr, unsigned err)
{
	struct proc *p = current_proc();
	int result;

	count(faults);
	for (int tries = 0;; tries++) {
		result = fault_once(as, addr, err);
		if (likely(result != -ENOMEM))
			return result;
		/* Kernel code may have faulted with a lock held that the victim needs in order to
		 * die: hence an end to the patience. */
		if (!p || p->killed || tries == OOM_TRIES || oom_kill())
			return -ENOMEM;
		pause_for_memory();
	}
}

volatile uint32_t *aspace_word(struct aspace *as, unsigned long addr, bool write)
{
	/* The tables lead on to the kernel's memory and Xen's. */
	pte_t *slot = addr < USER_END ? mmu_slot(&as->mmu, addr, false) : NULL;
	pte_t pte = slot ? mmu_get(&as->mmu, slot) : PTE_NONE;

	if (!pte_present(pte) || (write && !(pte.v & PTE_W)))
		return NULL;
	return (volatile uint32_t *)((char *)pfn_va(pte_pfn(pte)) + (addr & (PAGE_SIZE - 1)));
}

void aspace_futex_key(struct aspace *as, unsigned long addr, struct futex_key *key)
{
	const struct region *r = region_find(&as->regions, addr);

	if (r && (r->flags & REGION_SHARED)) {
		key->object = r->vnode ? (const void *)r->vnode : r->shared;
		key->offset = region_offset(r, addr);
	}
}
