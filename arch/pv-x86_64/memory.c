/* SPDX-License-Identifier: MIT */
/*
 * Memory that goes back to Xen, and comes.
 *
 * Natively memory is what is plugged in. A domain's memory is a number of machine frames that it
 * owns, and it can hand frames in (XENMEM_decrease_reservation) and ask for others
 * (XENMEM_populate_physmap), up to what the toolstack allows it. What it gets for a pfn is some
 * frame, hardly ever the one that it gave.
 *
 *     give    wipe it, as the next owner could read it (Xen wipes memory of domains that die, not
 *             of those that live); clear the direct map's entry, since Xen keeps a frame as long as
 *             anything maps it; hand it in; its p2m entry becomes "none"
 *     take    Xen enters the frame in m2p and tells it; p2m and the direct map's entry follow
 *
 * A PVH domain has a direct map of frame numbers that Xen translates: nothing changes in there, a
 * frame keeps its number, and only the hypercall in the middle is left. (A load from a frame that
 * is absent then does not fault: it gives ones.)
 *
 * Under PV a frame costs about as much as two page-table updates; by the batch, three hypercalls
 * for 128.
 */
#include <mm.h>
#include <printk.h>
#include <string.h>
#include "hypercall.h"
#include "pv.h"

#define DATA_FLAGS (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)

/* Enter @n frames in the direct map, or clear their entries. */
static void direct_map(const pfn_t *pfns, unsigned n, bool present)
{
	uint64_t refusals = queue_refusals();

	if (birth.pvh)
		return;
	for (unsigned i = 0; i < n; i++) {
		unsigned long va = (unsigned long)pfn_va(pfns[i]);

		mmu_set(&kernel_mmu, va, mmu_slot(&kernel_mmu, va, false),
			present ? pte_make(pfns[i], DATA_FLAGS) : PTE_NONE);
	}
	mmu_commit();
	if (refusals != queue_refusals())
		panic("the direct map cannot be changed for memory that comes or goes");
}

/* Frames of @list that Xen has done something with. */
static unsigned change(unsigned cmd, xen_pfn_t *list, unsigned n)
{
	struct xen_memory_reservation r = {.nr_extents = n, .domid = DOMID_SELF};
	long done;

	set_xen_guest_handle(r.extent_start, list);
	done = hyp_memory_op(cmd, &r);
	return done < 0 ? 0 : min((unsigned)done, n);
}

/* A PV domain's frames are all in its frame list. A PVH domain's memory map is that of the largest
 * it may be (what is not there yet, Xen adds when it is touched). */
unsigned long hv_frames_besides(unsigned long most)
{
	return birth.pvh && most > pages_max() ? most - pages_max() : 0;
}

unsigned hv_frames_give(const pfn_t *pfns, unsigned n, bool wipe)
{
	xen_pfn_t mfns[HV_FRAMES_BATCH];
	unsigned done;

	KASSERT(n <= HV_FRAMES_BATCH);
	for (unsigned i = 0; i < n; i++) {
		if (wipe)
			memset(pfn_va(pfns[i]), 0, PAGE_SIZE);
		mfns[i] = pfn_to_mfn(pfns[i]).v;
	}
	direct_map(pfns, n, false);
	done = change(XENMEM_decrease_reservation, mfns, n);
	for (unsigned i = 0; i < done; i++)
		p2m_set(pfns[i], MFN_NONE);
	direct_map(pfns + done, n - done, true);
	count_add(frames_given, done);
	return done;
}

unsigned hv_frames_take(const pfn_t *pfns, unsigned n)
{
	xen_pfn_t list[HV_FRAMES_BATCH];
	unsigned done;

	KASSERT(n <= HV_FRAMES_BATCH);
	for (unsigned i = 0; i < n; i++)
		list[i] = pfns[i].v;
	done = change(XENMEM_populate_physmap, list, n);
	for (unsigned i = 0; i < done; i++)
		p2m_set(pfns[i], MFN(list[i]));
	direct_map(pfns, done, true);
	count_add(frames_taken, done);
	return done;
}
