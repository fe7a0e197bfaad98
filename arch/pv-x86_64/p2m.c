/* SPDX-License-Identifier: MIT */
/*
 * Frame numbers. A PV guest sees two numberings of memory at once:
 *
 *     pfn   0 .. nr_pages - 1, what the guest counts; struct page and all data structures use it
 *     mfn   the machine's frame, what page-table entries must hold, because a PV guest's tables are
 *           the ones that the processor walks
 *
 * Natively and under PVH they are the same (PVH: the processor translates a second time). Here two
 * arrays translate: p2m, the guest's own (pfn -> mfn), written by the domain builder and kept up to
 * date by the guest; and m2p, Xen's, one for the whole machine, which Xen maps read-only at a fixed
 * address in every PV guest. Frames that are not ours have entries in m2p too, so an answer from it
 * is believed only if p2m agrees.
 *
 * The builder's p2m lies in frames of its own, mapped at INIT_P2M. Once there is a direct map, it
 * is copied to frames from the boot area: then it is reached through the direct map like everything
 * else, and a whole top-level slot with its tables goes away. Costs: 8 bytes a page, and one load
 * for pfn_to_mfn().
 */
#include <string.h>
#include "hypercall.h"
#include "pv.h"

void p2m_init(const struct start_info *si)
{
	nr_pages = si->nr_pages;
	machine_p2m = (const unsigned long *)si->mfn_list;
	machine_m2p = (const unsigned long *)MACH2PHYS_VIRT_START;
	if (machine_m2p[machine_p2m[0]] != 0)
		early_die("the p2m and m2p tables do not agree on frame 0");
}

void p2m_relocate(void)
{
	unsigned long bytes = nr_pages * sizeof(unsigned long);
	pfn_t to = boot_frames(DIV_ROUND_UP(bytes, PAGE_SIZE));

	memcpy(pfn_va(to), machine_p2m, bytes);
	machine_p2m = pfn_va(to);
}
