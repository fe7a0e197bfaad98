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
 *
 * The toolstack needs p2m too, for a dump of the domain's memory (`xl dump-core`, on_crash) and for
 * saving it. It finds it through shared_info: the mfn of a page of mfns of pages of mfns of the
 * array's pages. The array never moves after boot, so these lists are made once.
 *
 * Memory may come and go while the domain runs (`xl mem-set`). The largest that it may become is
 * told at birth, as the end of what the toolstack calls a memory map; p2m, struct page and the
 * direct map's tables are made for that many frames, and those that have no memory behind them are
 * marked absent, here by an impossible mfn.
 */
#include <string.h>
#include "hypercall.h"
#include "pv.h"

/* What is made for each frame costs 74 bytes, absent or not: at most 1/7 of the memory at birth. */
#define GROWTH_MAX 8
#define FRAME_LIST (PAGE_SIZE / sizeof(unsigned long)) /* frame numbers in a page */
_Static_assert(DMAP_L2_MAX * 512ul * 512 <= FRAME_LIST * FRAME_LIST * FRAME_LIST, "three levels");

/* Frames that the domain may grow to, as the toolstack says; 0: it does not. */
static unsigned long frames_max(void)
{
	static struct e820_entry entries[8];
	struct xen_memory_map map = {.nr_entries = ARRAY_SIZE(entries)};
	unsigned long end = 0;

	set_xen_guest_handle(map.buffer, entries);
	if (hyp_memory_op(XENMEM_memory_map, &map))
		return 0;
	for (unsigned i = 0; i < map.nr_entries && i < ARRAY_SIZE(entries); i++)
		if (entries[i].type == E820_RAM)
			end = max(end, entries[i].addr + entries[i].size);
	return end >> PAGE_SHIFT;
}

void p2m_set(pfn_t pfn, mfn_t mfn)
{
	if (!machine_p2m)
		return;
	((unsigned long *)machine_p2m)[pfn.v] = mfn.v;
}

void p2m_init(const struct start_info *si)
{
	boot_info.nr_present = si->nr_pages;
	nr_pages = max(si->nr_pages, min(frames_max(), GROWTH_MAX * si->nr_pages));
	machine_p2m = (const unsigned long *)si->mfn_list;
	machine_m2p = (const unsigned long *)MACH2PHYS_VIRT_START;
	if (machine_m2p[machine_p2m[0]] != 0)
		early_die("the p2m and m2p tables do not agree on frame 0");
}

static unsigned long *list_page(unsigned long *entry)
{
	pfn_t pfn = boot_frames(1);

	memset(pfn_va(pfn), 0, PAGE_SIZE);
	*entry = pfn_to_mfn(pfn).v;
	return pfn_va(pfn);
}

static void p2m_publish(void)
{
	struct arch_shared_info *info = &shared_info_page.arch;
	unsigned long frames = DIV_ROUND_UP(nr_pages, FRAME_LIST), first = va_pfn(machine_p2m).v;
	unsigned long *lists = list_page(&info->pfn_to_mfn_frame_list_list), *list = NULL;

	for (unsigned long i = 0; i < frames; i++) {
		if (i % FRAME_LIST == 0)
			list = list_page(&lists[i / FRAME_LIST]);
		list[i % FRAME_LIST] = pfn_to_mfn(PFN(first + i)).v;
	}
	info->max_pfn = nr_pages;
}

void p2m_relocate(void)
{
	unsigned long bytes = nr_pages * sizeof(unsigned long);
	pfn_t to = boot_frames(DIV_ROUND_UP(bytes, PAGE_SIZE));

	memcpy(pfn_va(to), machine_p2m, boot_info.nr_present * sizeof(unsigned long));
	machine_p2m = pfn_va(to);
	for (unsigned long pfn = boot_info.nr_present; pfn < nr_pages; pfn++)
		p2m_set(PFN(pfn), MFN_NONE);
	p2m_publish();
}
