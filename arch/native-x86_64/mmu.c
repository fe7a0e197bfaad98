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
 * What is left to do is to make the processor forget what it remembers of a table: queue.c.
 */
#include <mm.h>
#include <printk.h>
#include "native.h"

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
	flush_forget();
}
