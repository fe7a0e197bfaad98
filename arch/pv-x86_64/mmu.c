/* SPDX-License-Identifier: MIT */
/*
 * Address spaces under PV: two top-level tables each, pinned as a whole.
 *
 *                     top (guest kernel mode)          user_top (guest user mode)
 *     slot 0          -> L3 of the program      <----   the same L3
 *     slots 256-271   Xen's own                         Xen's own
 *     slot 273        -> direct map                     -
 *     slot 402        -> kernel mappings                -
 *     slot 511        -> kernel image                   -
 *
 * The kernel and its programs both run in ring 3, and the U bit of an entry separates ring 3 from
 * the rest, not one ring-3 mode from another. So Xen keeps a second top-level table per virtual CPU
 * for guest user mode and loads it on the way to user mode: the kernel's mappings are not there at
 * all. (Linux's page-table isolation does the same natively, for other reasons.) Both tops point to
 * the same lower tables; changing an entry of one top-level table means changing it in both. The
 * kernel's three L3 tables are made at boot and shared by all.
 *
 * Handing a tree to Xen ("pinning") makes it walk all 512 entries of each table, about 14,000
 * instructions a table, and the same again to take it back; the smallest program has five tables
 * (two tops, one each of levels 3, 2 and 1), so doing this at each fork and exit would cost
 * 150,000. But the upper four are the same empty tables for every program that lives in the lowest
 * GiB. So they are pinned once and recycled as a "base", and only what hangs below changes hands:
 *
 * publish   the tables made since mmu_create lose their writable mapping (the direct map's) and are
 *           entered in the base: Xen checks just them, each present entry costing 190.
 * retire    the entries in the base are cleared, Xen gives the uses up, the tables become writable.
 *           No CPU may have the space loaded: programs in the TLB would still see it.
 *
 * Both go through the update queue, so that publishing a fork's child and write-protecting its
 * parent are one hypercall. Up to BASES_MAX unused bases are kept (four pages each).
 *
 * The chain of tables that belong to a space runs through struct page (index), so nothing has to
 * search for them.
 */
#include <lock.h>
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "hypercall.h"
#include "pv.h"

#define BASES_MAX 8

#define DATA_FLAGS (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)
#define TABLE_FLAGS (PTE_P | PTE_A | PTE_NX)               /* the alias of a table */
#define LINK_FLAGS (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D) /* an entry that points to one */

static pte_t kernel_half[3]; /* direct map, kernel mappings, image */

struct base {
	pfn_t top, user_top, l3, l2;
};

static spinlock_t bases_lock = SPINLOCK("page-table bases");
static struct base bases[BASES_MAX];
static unsigned nr_bases;

void mmu_kernel_half_init(pte_t *top)
{
	kernel_mmu.top = va_pfn(top);
	kernel_mmu.user_top = PFN_NONE;
	kernel_mmu.chain = PFN_NONE;
	kernel_mmu.live = true;
	kernel_mmu.last_va = 1;
	kernel_mmu.cpumask = 1;
	this_cpu()->mmu = &kernel_mmu;
	kernel_half[0] = top[KERNEL_SLOT_DIRECT];
	kernel_half[1] = top[KERNEL_SLOT_KVM];
	kernel_half[2] = top[KERNEL_SLOT_IMAGE];
}

static struct mmu_update alias(pfn_t table, uint64_t flags)
{
	return (struct mmu_update){
		.ptr = dmap_entry(table) | MMU_NORMAL_PT_UPDATE,
		.val = pte_make(table, flags).v,
	};
}

static void base_ops(const struct base *b, struct mmu_update *u, uint64_t flags,
		     struct mmuext_op *op, unsigned cmd)
{
	u[0] = alias(b->top, flags);
	u[1] = alias(b->user_top, flags);
	u[2] = alias(b->l3, flags);
	u[3] = alias(b->l2, flags);
	op[0].cmd = op[1].cmd = cmd;
	op[0].arg1.mfn = pfn_to_mfn(b->top).v;
	op[1].arg1.mfn = pfn_to_mfn(b->user_top).v;
}

static void base_free_pages(const struct base *b)
{
	const pfn_t *p = &b->top;

	for (unsigned i = 0; i < sizeof(*b) / sizeof(*p); i++)
		if (p[i].v != PFN_NONE.v)
			page_free_pfn(p[i]);
}

static int base_make(struct base *b)
{
	struct mmu_update u[4];
	struct mmuext_op op[2];
	unsigned long caller = (unsigned long)__builtin_return_address(0);
	pte_t *top;

	b->top = page_alloc_pfn(ALLOC_ZERO);
	b->user_top = page_alloc_pfn(ALLOC_ZERO);
	b->l3 = page_alloc_pfn(ALLOC_ZERO);
	b->l2 = page_alloc_pfn(ALLOC_ZERO);
	if (b->top.v == PFN_NONE.v || b->user_top.v == PFN_NONE.v || b->l3.v == PFN_NONE.v ||
	    b->l2.v == PFN_NONE.v) {
		base_free_pages(b);
		return -ENOMEM;
	}
	top = pfn_va(b->top);
	top[KERNEL_SLOT_DIRECT] = kernel_half[0];
	top[KERNEL_SLOT_KVM] = kernel_half[1];
	top[KERNEL_SLOT_IMAGE] = kernel_half[2];
	top[0] = *(pte_t *)pfn_va(b->user_top) = pte_make(b->l3, LINK_FLAGS);
	*(pte_t *)pfn_va(b->l3) = pte_make(b->l2, LINK_FLAGS);
	base_ops(b, u, TABLE_FLAGS, op, MMUEXT_PIN_L4_TABLE);
	if (mmu_update_now(u, 4, caller) || mmuext_now(op, 2, caller))
		return -EIO; /* in which state they are is not known: they are lost */
	count(pins);
	trace(pin, b->top.v, 4, 0);
	return 0;
}

static void base_unmake(const struct base *b)
{
	struct mmu_update u[4];
	struct mmuext_op op[2];
	unsigned long caller = (unsigned long)__builtin_return_address(0);

	base_ops(b, u, DATA_FLAGS, op, MMUEXT_UNPIN_TABLE);
	if (mmuext_now(op, 2, caller) || mmu_update_now(u, 4, caller))
		return;
	count(unpins);
	trace(pin, b->top.v, 4, 1);
	base_free_pages(b);
}

/* One of those kept, if there is any. */
static bool base_take(struct base *b)
{
	bool have;

	spin_lock(&bases_lock);
	have = nr_bases > 0;
	if (have)
		*b = bases[--nr_bases];
	spin_unlock(&bases_lock);
	return have;
}

/*
 * Instead of one page and three entries: two tops and two tables below them, pinned once and
 * recycled. Cost: none for a recycled base, else a multicall.
 */
int pv_top_create(struct mmu *m)
{
	struct base b;

	if (!base_take(&b)) {
		int err = base_make(&b);

		if (err)
			return err;
	}
	m->top = b.top;
	m->user_top = b.user_top;
	m->base[0] = b.l3;
	m->base[1] = b.l2;
	m->pinned = true;
	m->tables = 4;
	return 0;
}

/*
 * Instead of freeing one page: the base is kept for the next process, or unpinned. Cost: none,
 * or a multicall.
 */
void pv_top_destroy(struct mmu *m)
{
	struct base b = {m->top, m->user_top, m->base[0], m->base[1]};
	bool kept;

	spin_lock(&bases_lock);
	kept = nr_bases < BASES_MAX;
	if (kept)
		bases[nr_bases++] = b;
	spin_unlock(&bases_lock);
	if (!kept)
		base_unmake(&b);
}

unsigned mmu_trim(void)
{
	struct base b;
	unsigned n = 0;

	for (;; n += 4) {
		if (!base_take(&b))
			return n;
		base_unmake(&b);
	}
}

unsigned mmu_kept_pages(void)
{
	return nr_bases * 4;
}

/* Enter in the base, or clear, the entries for all tables of the chain that belong there. */
static void base_entries(struct mmu *m, bool set)
{
	for (pfn_t t = m->chain; t.v != PFN_NONE.v; t = PFN(pfn_page(t)->index)) {
		pte_t *slot = pfn_page(t)->private;
		uint64_t val = set ? pte_make(t, LINK_FLAGS).v : 0;

		if (!slot)
			continue;
		queue_update(pt_maddr(slot), val);
		if (va_pfn(slot).v == m->top.v)
			queue_update(pt_maddr(pfn_va(m->user_top)) +
					     ((unsigned long)slot & ~PAGE_MASK),
				     val);
	}
}

static void aliases(struct mmu *m, uint64_t flags)
{
	for (pfn_t t = m->chain; t.v != PFN_NONE.v; t = PFN(pfn_page(t)->index))
		queue_update(dmap_entry(t) | MMU_NORMAL_PT_UPDATE, pte_make(t, flags).v);
}

/*
 * Instead of nothing: the new tables become read-only and are linked below the pinned base,
 * where Xen checks them. Cost: queued: part of the next multicall.
 */
int pv_table_publish(struct mmu *m)
{
	uint64_t refusals;
	bool refused;

	irq_push_off();
	refusals = queue_refusals();
	aliases(m, TABLE_FLAGS);
	base_entries(m, true);
	pv_pte_commit();
	refused = refusals != queue_refusals();
	irq_pop_off();
	if (refused)
		return -EIO;
	m->live = true;
	return 0;
}

/*
 * Instead of nothing: the links are cut and the tables become writable again. Cost: queued: part
 * of the next multicall.
 */
void pv_table_retire(struct mmu *m)
{
	uint64_t refusals;

	KASSERT(m->cpumask == 0);
	irq_push_off();
	refusals = queue_refusals();
	base_entries(m, false);
	aliases(m, DATA_FLAGS);
	pv_pte_commit();
	if (refusals != queue_refusals())
		panic("page tables of an address space cannot be taken back");
	irq_pop_off();
	m->live = false;
}

/*
 * Instead of nothing: the table's writable alias in the direct map becomes read-only. Cost: a
 * queued update.
 */
void pv_table_link(struct mmu *m, pfn_t table, unsigned level)
{
	(void)m;
	(void)level;
	queue_update(dmap_entry(table) | MMU_NORMAL_PT_UPDATE, pte_make(table, TABLE_FLAGS).v);
}

/* The two operations that load @m, for a multicall or a call of their own. */
void pv_load_ops(const struct mmu *m, struct mmuext_op *op)
{
	op[0].cmd = MMUEXT_NEW_BASEPTR;
	op[0].arg1.mfn = pfn_to_mfn(m->top).v;
	op[1].cmd = MMUEXT_NEW_USER_BASEPTR;
	op[1].arg1.mfn = m->user_top.v == PFN_NONE.v ? 0 : pfn_to_mfn(m->user_top).v;
}

void pv_loaded(struct mmu *m)
{
	struct cpu *c = this_cpu();
	uint64_t bit = 1ull << c->id;

	__atomic_and_fetch(&c->mmu->cpumask, ~bit, __ATOMIC_SEQ_CST);
	__atomic_or_fetch(&m->cpumask, bit, __ATOMIC_SEQ_CST);
	c->mmu = m;
	count(tlb_full); /* Xen loads CR3 */
}

/* Instead of `mov %cr3`: MMUEXT_NEW_BASEPTR and MMUEXT_NEW_USER_BASEPTR. Cost: a hypercall. */
void pv_mmu_load(struct mmu *m)
{
	struct mmuext_op op[2];

	irq_push_off();
	if (this_cpu()->mmu != m) {
		pv_pte_commit();
		pv_load_ops(m, op);
		if (mmuext_now(op, 2, (unsigned long)__builtin_return_address(0)))
			panic("page tables cannot be loaded");
		pv_loaded(m);
	}
	irq_pop_off();
}
