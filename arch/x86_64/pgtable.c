/* SPDX-License-Identifier: MIT */
/*
 * Walking page tables: the part of <mmu.h> that is the same in every world, because the format is
 * the processor's. What differs (making a top level, when a table becomes live, how an entry of a
 * live table is written) is behind machine->*.
 *
 * Four levels, nine bits of the address each. While a space is being filled, entries are written by
 * stores here; from mmu_publish() on by machine->pte_write(), and a new table is announced with
 * machine->table_link() before an entry points to it. Entries of the three upper levels are sent at
 * once, so only the lowest level can have updates waiting, and walks may read memory.
 */
#include <machine.h>
#include <mm.h>
#include <mmu.h>
#include <printk.h>
#include <trace.h>

#define TABLE_FLAGS (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

static pte_t *table_of(pte_t entry)
{
	return pfn_va(pte_pfn(entry));
}

static void link_table(struct mmu *m, unsigned long va, unsigned level, pte_t *slot, pfn_t table)
{
	pte_t entry = pte_make(table, TABLE_FLAGS);
	bool both = level == 4 && m->user_top.v != m->top.v && m->user_top.v != PFN_NONE.v;
	pte_t *user_slot = both ? (pte_t *)pfn_va(m->user_top) + PT_INDEX(va, 4) : NULL;

	pfn_page(table)->index = m->chain.v;
	m->chain = table;
	m->tables++;
	if (!m->live) {
		*slot = entry;
		if (both)
			*user_slot = entry;
		return;
	}
	machine->table_link(m, table, level - 1);
	machine->pte_write(m, va, slot, entry);
	if (both)
		machine->pte_write(m, va, user_slot, entry);
	machine->pte_commit();
}

static pte_t *walk(struct mmu *m, unsigned long va, bool create)
{
	pte_t *table = pfn_va(m->top);

	for (unsigned level = 4; level > 1; level--) {
		pte_t *slot = table + PT_INDEX(va, level);

		if (!pte_present(*slot)) {
			pfn_t new = PFN_NONE;

			if (create)
				new = page_alloc_pfn(ALLOC_ZERO);
			if (new.v == PFN_NONE.v)
				return NULL;
			link_table(m, va, level, slot, new);
			table = pfn_va(new);
			continue;
		}
		table = table_of(*slot);
	}
	return table + PT_INDEX(va, 1);
}

int mmu_create(struct mmu *m)
{
	m->live = false;
	m->tables = 0;
	m->cpumask = 0;
	m->chain = PFN_NONE;
	return machine->top_create(m);
}

int mmu_publish(struct mmu *m)
{
	return machine->table_publish(m);
}

void mmu_retire(struct mmu *m)
{
	if (m->live)
		machine->table_retire(m);
}

void mmu_destroy(struct mmu *m)
{
	pfn_t next, table = m->chain;

	for (; table.v != PFN_NONE.v; table = next) {
		next = PFN(pfn_page(table)->index);
		page_free_pfn(table);
	}
	m->chain = PFN_NONE;
	machine->top_destroy(m);
}

pte_t *mmu_slot(struct mmu *m, unsigned long va, bool create)
{
	return walk(m, va, create);
}

unsigned long mmu_next(struct mmu *m, unsigned long va)
{
	while (va < USER_END) {
		pte_t *table = pfn_va(m->top);
		unsigned level = 4;

		while (level > 1 && pte_present(table[PT_INDEX(va, level)])) {
			table = table_of(table[PT_INDEX(va, level)]);
			level--;
		}
		if (level == 1)
			return va;
		va = (va | (PT_SPAN(level) - 1)) + 1;
	}
	return USER_END;
}

void mmu_set(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte)
{
	if (m->live) {
		machine->pte_write(m, va, slot, pte);
		return;
	}
	*slot = pte;
	count(pte_stores);
}

pte_t mmu_get(struct mmu *m, pte_t *slot)
{
	return m->live ? machine->pte_pending(slot) : *slot;
}

void mmu_commit(void)
{
	machine->pte_commit();
}

void mmu_load(struct mmu *m)
{
	machine->mmu_load(m);
}

int mmu_kernel_map(unsigned long va, const pfn_t *pfns, unsigned n, uint64_t flags)
{
	for (unsigned i = 0; i < n; i++) {
		pte_t *slot = walk(&kernel_mmu, va + i * PAGE_SIZE, true);

		if (!slot) {
			mmu_kernel_unmap(va, i);
			return -ENOMEM;
		}
		mmu_set(&kernel_mmu, va + i * PAGE_SIZE, slot,
			pte_make(pfns[i], flags | PTE_P | PTE_A | PTE_D));
	}
	mmu_commit();
	return 0;
}

void mmu_kernel_unmap(unsigned long va, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pte_t *slot = walk(&kernel_mmu, va + i * PAGE_SIZE, false);

		if (slot && pte_present(mmu_get(&kernel_mmu, slot)))
			mmu_set(&kernel_mmu, va + i * PAGE_SIZE, slot, PTE_NONE);
	}
	mmu_commit();
}

void mmu_print_walk(unsigned long va)
{
	struct mmu *m = this_cpu()->mmu;
	pte_t *table;

	if (!m)
		m = &kernel_mmu;
	table = pfn_va(m->top);
	printk("page tables for 0x%lx (top: pfn 0x%lx):\n", va, m->top.v);
	for (unsigned level = 4; level >= 1; level--) {
		pte_t e = table[PT_INDEX(va, level)];

		if (!pte_present(e)) {
			printk("  L%u[%3lu] 0x%016lx not present\n", level, PT_INDEX(va, level), e.v);
			return;
		}
		printk("  L%u[%3lu] 0x%016lx pfn 0x%lx%s%s%s%s%s\n", level, PT_INDEX(va, level), e.v,
		       pte_pfn(e).v, e.v & PTE_W ? " write" : " read-only", e.v & PTE_U ? " user" : "",
		       e.v & PTE_NX ? " no-exec" : "", e.v & PTE_A ? " accessed" : "",
		       e.v & PTE_D ? " dirty" : "");
		if (pte_pfn(e).v >= nr_pages || (level > 1 && (e.v & PTE_PS)))
			return;
		table = table_of(e);
	}
}
