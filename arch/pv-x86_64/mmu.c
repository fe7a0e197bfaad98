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
 * publish   all tables of the space lose their writable mapping (the direct map's), and both tops
 *           are pinned: Xen walks the tree, checks each present entry and notes the use of each
 *           frame. One multicall. A pinned tree stays checked while no CPU has it loaded, so that
 *           loading it later is cheap.
 * retire    the opposite; Xen walks the tree again and gives up the uses. No CPU may have it loaded:
 *           Xen would keep the last reference and refuse the writable mappings.
 *
 * A table's frames are chained through struct page (index), so neither has to search for them.
 */
#include <lock.h>
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "hypercall.h"
#include "pv.h"

#define CHUNK 96 /* updates sent together while publishing a large space */

#define DATA_FLAGS (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)
#define TABLE_FLAGS (PTE_P | PTE_A | PTE_NX)

struct mmu kernel_mmu;
static pte_t kernel_half[3]; /* direct map, kernel mappings, image */

/* Machine address of a page-table entry that is given by its direct-map address. */
uint64_t pt_maddr(const pte_t *slot)
{
	unsigned long offset = (unsigned long)slot & ~PAGE_MASK;

	return (pfn_to_mfn(va_pfn(slot)).v << PAGE_SHIFT) + offset;
}

void mmu_kernel_half_init(pte_t *top)
{
	kernel_mmu.top = va_pfn(top);
	kernel_mmu.user_top = PFN_NONE;
	kernel_mmu.chain = PFN_NONE;
	kernel_mmu.live = true;
	kernel_mmu.cpumask = 1;
	this_cpu()->mmu = &kernel_mmu;
	kernel_half[0] = top[KERNEL_SLOT_DIRECT];
	kernel_half[1] = top[KERNEL_SLOT_KVM];
	kernel_half[2] = top[KERNEL_SLOT_IMAGE];
}

int pv_top_create(struct mmu *m)
{
	pte_t *top;

	m->top = page_alloc_pfn(ALLOC_ZERO);
	m->user_top = m->top.v == PFN_NONE.v ? PFN_NONE : page_alloc_pfn(ALLOC_ZERO);
	if (m->user_top.v == PFN_NONE.v) {
		if (m->top.v != PFN_NONE.v)
			page_free_pfn(m->top);
		return -ENOMEM;
	}
	m->tables = 2;
	top = pfn_va(m->top);
	top[KERNEL_SLOT_DIRECT] = kernel_half[0];
	top[KERNEL_SLOT_KVM] = kernel_half[1];
	top[KERNEL_SLOT_IMAGE] = kernel_half[2];
	return 0;
}

void pv_top_destroy(struct mmu *m)
{
	page_free_pfn(m->top);
	page_free_pfn(m->user_top);
}

static void mc_update(struct multicall_entry *mc, const struct mmu_update *u, unsigned n)
{
	mc->op = __HYPERVISOR_mmu_update;
	mc->args[0] = HC(u);
	mc->args[1] = n;
	mc->args[2] = 0;
	mc->args[3] = DOMID_SELF;
}

static void mc_ext(struct multicall_entry *mc, const struct mmuext_op *op, unsigned n)
{
	mc->op = __HYPERVISOR_mmuext_op;
	mc->args[0] = HC(op);
	mc->args[1] = n;
	mc->args[2] = 0;
	mc->args[3] = DOMID_SELF;
}

static struct mmu_update alias(pfn_t table, uint64_t flags)
{
	return (struct mmu_update){
		.ptr = dmap_entry(table) | MMU_NORMAL_PT_UPDATE,
		.val = pte_make(table, flags).v,
	};
}

/* Next up to CHUNK - 2 updates of the chained tables' aliases; *@at moves on. */
static unsigned alias_chunk(struct mmu_update *u, pfn_t *at, uint64_t flags)
{
	unsigned n = 0;

	for (; at->v != PFN_NONE.v && n < CHUNK - 2; *at = PFN(pfn_page(*at)->index))
		u[n++] = alias(*at, flags);
	return n;
}

static long mc_result(const struct multicall_entry *mc, const char *what, const struct mmu *m)
{
	for (unsigned i = 0; i < 2; i++) {
		if ((long)mc[i].result < 0) {
			printk("mmu: Xen refused to %s the space with top pfn 0x%lx: step %u (%s), error %ld\n",
			       what, m->top.v, i, hypercall_names[mc[i].op], (long)mc[i].result);
			trace(refused, mc[i].op, i, (unsigned long)__builtin_return_address(0));
			return -EIO;
		}
	}
	return 0;
}

int pv_table_publish(struct mmu *m)
{
	struct mmu_update u[CHUNK];
	struct mmuext_op op[2] = {
		{.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = pfn_to_mfn(m->top).v},
		{.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = pfn_to_mfn(m->user_top).v},
	};
	struct multicall_entry mc[2];
	pfn_t at = m->chain;
	unsigned n;
	int err;

	for (;;) {
		n = alias_chunk(u, &at, TABLE_FLAGS);
		if (at.v == PFN_NONE.v)
			break;
		err = mmu_update_now(u, n, (unsigned long)__builtin_return_address(0));
		if (err)
			return err;
	}
	u[n++] = alias(m->top, TABLE_FLAGS);
	u[n++] = alias(m->user_top, TABLE_FLAGS);
	mc_update(&mc[0], u, n);
	mc_ext(&mc[1], op, 2);
	hyp_multicall(mc, 2);
	err = mc_result(mc, "pin", m);
	if (err)
		return err;
	count(pins);
	count_add(pte_updates, n);
	trace(pin, m->top.v, m->tables, 0);
	m->live = true;
	return 0;
}

void pv_table_retire(struct mmu *m)
{
	struct mmu_update u[CHUNK];
	struct mmuext_op op[2] = {
		{.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = pfn_to_mfn(m->top).v},
		{.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = pfn_to_mfn(m->user_top).v},
	};
	struct multicall_entry mc[2];
	pfn_t at = m->chain;
	unsigned n;

	KASSERT(m->cpumask == 0);
	n = alias_chunk(u, &at, DATA_FLAGS);
	u[n++] = alias(m->top, DATA_FLAGS);
	u[n++] = alias(m->user_top, DATA_FLAGS);
	mc_ext(&mc[0], op, 2);
	mc_update(&mc[1], u, n);
	hyp_multicall(mc, 2);
	if (mc_result(mc, "unpin", m))
		panic("page tables of an address space cannot be taken back");
	count(unpins);
	count_add(pte_updates, n);
	trace(pin, m->top.v, m->tables, 1);
	while (at.v != PFN_NONE.v) {
		n = alias_chunk(u, &at, DATA_FLAGS);
		mmu_update_now(u, n, (unsigned long)__builtin_return_address(0));
	}
	m->live = false;
}

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
}

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
