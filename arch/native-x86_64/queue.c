/* SPDX-License-Identifier: MIT */
/*
 * Entries of page tables in use: a store, and what the processor has to forget.
 *
 * The processor does not look at the tables again as long as it remembers an entry in its TLB, so
 * after one that was present has changed, its address is flushed (`invlpg`), if the space is
 * loaded; a space that is not loaded has nothing in the TLB, because a load of CR3 forgets all that
 * is not global. Addresses wait until pte_commit(), and when there are many, CR3 is loaded again
 * instead. That is all that is left of PV's queue (arch/pv-x86_64/queue.c), where the stores
 * themselves have to wait. With several processors running this is where the others would have to
 * be interrupted.
 */
#include <mm.h>
#include "native.h"

#define FLUSH_MAX 32

static struct flush {
	unsigned long va[FLUSH_MAX];
	unsigned n;
	bool all;
} flushes[MAX_CPUS];

static void invlpg(unsigned long va)
{
	count(tlb_pages);
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

void native_pte_commit(void)
{
	struct flush *f = &flushes[this_cpu()->id];

	if (f->all) {
		count(tlb_full);
		load_cr3(this_cpu()->mmu->top);
	} else {
		for (unsigned i = 0; i < f->n; i++)
			invlpg(f->va[i]);
	}
	f->n = 0;
	f->all = false;
}

/* @va of @m may be in this CPU's TLB. */
static void flush_later(struct mmu *m, unsigned long va)
{
	struct flush *f = &flushes[this_cpu()->id];

	if (m == &kernel_mmu) /* global: a load of CR3 would not forget it */
		invlpg(va);
	else if (m != this_cpu()->mmu)
		return;
	else if (f->n == FLUSH_MAX)
		f->all = true;
	else
		f->va[f->n++] = va;
}

void native_pte_write(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte)
{
	pte_t old = *slot;

	if (m == &kernel_mmu && pte_present(pte))
		pte.v |= PTE_G;
	WRITE_ONCE(slot->v, pte.v);
	count(pte_stores);
	if (pte_present(old))
		flush_later(m, va);
}

void native_pte_write_now(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte)
{
	native_pte_write(m, va, slot, pte);
	native_pte_commit();
}

pte_t native_pte_pending(pte_t *slot)
{
	return *slot;
}

void flush_forget(void)
{
	flushes[this_cpu()->id].n = 0;
	flushes[this_cpu()->id].all = false;
}
