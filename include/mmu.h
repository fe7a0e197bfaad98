/* SPDX-License-Identifier: MIT */
/*
 * Page tables, as the memory manager sees them. One struct mmu per address space.
 *
 * Life:  mmu_create -> fill with mmu_slot()/mmu_set() (plain stores in every world) -> mmu_publish
 * -> used: mmu_set() now goes through the update queue, which mmu_commit() sends -> mmu_retire ->
 * mmu_destroy.
 *
 * Under PV a published space is pinned: Xen has validated the tree, its tables are mapped
 * read-only, and every entry changes by hypercall. There are two top-level tables that share the
 * lower levels: `top`, on which the kernel runs (user half and kernel half), and `user_top`, on
 * which user mode runs (user half only; Xen itself maps what it needs). Natively both are the same
 * table and publishing does nothing.
 *
 * The queue is per CPU: entries wait until mmu_commit(), or until it is full, or a switch. The
 * kernel argument `nobatch` makes every mmu_set() send at once, to see what batching saves.
 *
 * Locking: the caller holds the owning address space's mutex (or the space is not shared yet).
 * Generic walk: arch/x86_64/pgtable.c; world's part: arch/<world>/mmu.c.
 */
#ifndef MMU_H
#define MMU_H

#include <pte.h>
#include <types.h>

struct mmu {
	pfn_t top;
	pfn_t user_top;
	bool live;        /* published */
	unsigned tables;  /* page-table pages, the tops included */
	pfn_t chain;      /* first of the tables made since; struct page's index: the next */
	uint64_t cpumask; /* CPUs on which it is loaded */
	/* PV: the tops and one table of level 3 and 2 (for the lowest GiB) are pinned from the
	 * start and recycled: see arch/pv-x86_64/mmu.c. */
	bool pinned;
	pfn_t base[2];
	unsigned long last_va; /* lowest-level table found last, and the 2 MiB that it maps */
	pte_t *last;
};

extern struct mmu
	kernel_mmu; /* the boot tables; user half empty; idle and kernel threads run on it */

/* An empty user half and the shared kernel half. -ENOMEM. */
int mmu_create(struct mmu *m);
/* Tables become live: under PV made read-only and pinned (one multicall). -ENOMEM, or -EIO if
 * refused. */
int mmu_publish(struct mmu *m);
/* Not loaded on any CPU any more: under PV unpinned and writable again. Entries can still be read.
 */
void mmu_retire(struct mmu *m);
/* Free the tables (not the pages that they map). Retired or never published. */
void mmu_destroy(struct mmu *m);
/* Free tables kept for reuse (memory is short, or somebody counts pages). Returns how many. */
unsigned mmu_trim(void);
/* How many are kept now: memory that is as good as free. */
unsigned mmu_kept_pages(void);
/*
 * The lowest-level slot for user address @va, or NULL: no table there (@create false), or no
 * memory. A table made in a live space is linked through the queue. The slot may be read by plain
 * loads; written only by mmu_set.
 */
pte_t *mmu_slot(struct mmu *m, unsigned long va, bool create);
/* Next user address >= @va that may have an entry (skips absent tables), or USER_END: for walks
 * over all. */
unsigned long mmu_next(struct mmu *m, unsigned long va);
/* Set @slot (of @va) to @pte: a store or a queued update; TLB entries are flushed by mmu_commit
 * where needed. */
void mmu_set(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
/* mmu_set() and mmu_commit() of one entry: what a page fault does. */
void mmu_set_now(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte);
/* The value that @slot will have once the queue is sent: what a reader should look at while updates
 * wait. */
pte_t mmu_get(struct mmu *m, pte_t *slot);
/* Send what waits (one multicall: updates and flush), on return it is in force on all CPUs. */
void mmu_commit(void);
/* Load @m's tables on this CPU. (A thread switch does it together with the stack and the rest:
 * machine->switch_to.) */
void mmu_load(struct mmu *m);

/* Kernel half: map @n pages at @va in the KVM area. -ENOMEM: no page for a table. */
int mmu_kernel_map(unsigned long va, const pfn_t *pfns, unsigned n, uint64_t flags);
void mmu_kernel_unmap(unsigned long va, unsigned n);
/* Print the walk of @va from the tables now loaded (panic). */
void mmu_print_walk(unsigned long va);

#endif
