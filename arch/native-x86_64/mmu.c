/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: one top-level table each, loaded by one instruction.
 *
 *     slot 0 ..   the program's
 *     slot 273    -> direct map        \
 *     slot 402    -> kernel mappings    }  the same three tables in every address space
 *     slot 511    -> kernel image      /
 *
 * The U bit of an entry keeps ring 3 out of the kernel's half, so program and kernel run on the
 * same tables. A table is memory like any other: an entry changes by a store, and there is nothing
 * to publish, pin or hand over (compare arch/pv-x86_64/mmu.c).
 *
 * What is left to do is the TLB. The processor does not look at the tables again as long as it
 * remembers an entry, so after an entry that was present has changed, its address is flushed
 * (`invlpg`), if the space is loaded; one that is not loaded has nothing in the TLB, because a load
 * of CR3 forgets all that is not global. Addresses wait until pte_commit(), and when there are
 * many, CR3 is loaded again instead: that is all that is left of PV's queue of updates. With
 * several processors running this is where the others would have to be interrupted.
 */
#include <mm.h>
#include <printk.h>
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

static void load_cr3(pfn_t top)
{
	__asm__ volatile("movq %0, %%cr3" ::"r"(top.v << PAGE_SHIFT) : "memory");
}

int native_top_create(struct mmu *m)
{
	const pte_t *kernel = pfn_va(kernel_mmu.top);
	pte_t *top;

	m->top = m->user_top = page_alloc_pfn(ALLOC_ZERO);
	if (m->top.v == PFN_NONE.v)
		return -ENOMEM;
	m->tables = 1;
	top = pfn_va(m->top);
	top[KERNEL_SLOT_DIRECT] = kernel[KERNEL_SLOT_DIRECT];
	top[KERNEL_SLOT_KVM] = kernel[KERNEL_SLOT_KVM];
	top[KERNEL_SLOT_IMAGE] = kernel[KERNEL_SLOT_IMAGE];
	return 0;
}

void native_top_destroy(struct mmu *m)
{
	page_free_pfn(m->top);
	m->top = m->user_top = PFN_NONE;
}

int native_table_publish(struct mmu *m)
{
	m->live = true;
	return 0;
}

void native_table_retire(struct mmu *m)
{
	KASSERT(m->cpumask == 0);
	m->live = false;
}

void native_table_link(struct mmu *m, pfn_t table, unsigned level)
{
	(void)m;
	(void)table;
	(void)level;
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

void native_pte_write_now(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte)
{
	native_pte_write(m, va, slot, pte);
	native_pte_commit();
}

pte_t native_pte_pending(pte_t *slot)
{
	return *slot;
}

void native_mmu_load(struct mmu *m)
{
	struct cpu *c = this_cpu();
	uint64_t bit = 1ull << c->id;

	load_cr3(m->top);
	count(tlb_full);
	if (c->mmu)
		c->mmu->cpumask &= ~bit;
	m->cpumask |= bit;
	c->mmu = m;
	/* What waited was the old space's, which is not loaded any more. */
	flushes[c->id].n = 0;
	flushes[c->id].all = false;
}
