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

struct mmu kernel_mmu;

#define TABLE_FLAGS (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

static pte_t *table_of(pte_t entry)
{
	return pfn_va(pte_pfn(entry));
}

/* Is @table one that was live before the space was published? */
static bool is_fixed(const struct mmu *m, const pte_t *table)
{
	unsigned long pfn = va_pfn(table).v;

	return m->pinned && (pfn == m->top.v || pfn == m->base[0].v || pfn == m->base[1].v);
}

/*
 * A space whose upper tables are live from the start (PV) gets its new tables attached to them when
 * it is published. Until then page->private of such a table says which entry it will go to.
 */
static pfn_t unattached(const struct mmu *m, const pte_t *slot)
{
	pfn_t table = m->chain;

	while (table.v != PFN_NONE.v && pfn_page(table)->private != slot)
		table = PFN(pfn_page(table)->index);
	return table;
}

static pte_t *top_twin(const struct mmu *m, const pte_t *slot)
{
	unsigned long offset = (unsigned long)slot & ~PAGE_MASK;

	if (va_pfn(slot).v != m->top.v || m->user_top.v == m->top.v || m->user_top.v == PFN_NONE.v)
		return NULL;
	return (pte_t *)((unsigned long)pfn_va(m->user_top) + offset);
}

static void link_table(struct mmu *m, unsigned long va, pte_t *slot, pfn_t table)
{
	bool fixed = is_fixed(m, slot);
	pte_t entry = pte_make(table, TABLE_FLAGS);
	pte_t *twin = top_twin(m, slot);

	pfn_page(table)->index = m->chain.v;
	pfn_page(table)->private = fixed ? slot : NULL;
	m->chain = table;
	m->tables++;
	if (m->live) {
		machine->table_link(m, table, 0);
		machine->pte_write(m, va, slot, entry);
		if (twin)
			machine->pte_write(m, va, twin, entry);
		machine->pte_commit();
	} else if (!fixed) {
		*slot = entry;
		if (twin)
			*twin = entry;
	}
}

/* The table below @slot, made if @create; NULL: none. */
static pte_t *descend(struct mmu *m, unsigned long va, pte_t *slot, bool create)
{
	pfn_t table;

	if (likely(pte_present(*slot)))
		return table_of(*slot);
	table = m->live ? PFN_NONE : unattached(m, slot);
	if (table.v == PFN_NONE.v && create) {
		table = page_alloc_pfn(ALLOC_ZERO);
		if (table.v != PFN_NONE.v)
			link_table(m, va, slot, table);
	}
	return table.v == PFN_NONE.v ? NULL : pfn_va(table);
}

static __attribute__((noinline)) pte_t *walk_all(struct mmu *m, unsigned long va, bool create)
{
	unsigned long span = va & ~(PT_SPAN(2) - 1);
	pte_t *table = pfn_va(m->top);

	for (unsigned level = 4; table && level > 1; level--)
		table = descend(m, va, table + PT_INDEX(va, level), create);
	if (!table)
		return NULL;
	m->last_va = span;
	m->last = table;
	return table + PT_INDEX(va, 1);
}

static inline pte_t *walk(struct mmu *m, unsigned long va, bool create)
{
	if (likely(m->last_va == (va & ~(PT_SPAN(2) - 1))))
		return m->last + PT_INDEX(va, 1);
	return walk_all(m, va, create);
}

static void forget_last(struct mmu *m)
{
	m->last_va = 1; /* no such address */
}

int mmu_create(struct mmu *m)
{
	m->live = m->pinned = false;
	m->tables = 0;
	m->cpumask = 0;
	m->chain = m->base[0] = m->base[1] = PFN_NONE;
	forget_last(m);
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
		pfn_page(table)->index = 0;
		pfn_page(table)->private = NULL;
		page_free_pfn(table);
	}
	m->chain = PFN_NONE;
	forget_last(m);
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

		while (level > 1) {
			pte_t *below = descend(m, va, table + PT_INDEX(va, level), false);

			if (!below)
				break;
			table = below;
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

void mmu_set_now(struct mmu *m, unsigned long va, pte_t *slot, pte_t pte)
{
	if (m->live) {
		machine->pte_write_now(m, va, slot, pte);
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
			printk("  L%u[%3lu] 0x%016lx not present\n", level, PT_INDEX(va, level),
			       e.v);
			return;
		}
		printk("  L%u[%3lu] 0x%016lx pfn 0x%lx%s%s%s%s%s\n", level, PT_INDEX(va, level),
		       e.v, pte_pfn(e).v, e.v & PTE_W ? " write" : " read-only",
		       e.v & PTE_U ? " user" : "", e.v & PTE_NX ? " no-exec" : "",
		       e.v & PTE_A ? " accessed" : "", e.v & PTE_D ? " dirty" : "");
		if (pte_pfn(e).v >= nr_pages || (level > 1 && (e.v & PTE_PS)))
			return;
		table = table_of(e);
	}
}
