/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own page tables, built once at boot: fill them, load CR3.
 *
 * That is all, because the processor trusts the kernel: a table may be mapped writable, even
 * through several addresses, and nobody checks an entry before it is used. Compare
 * arch/pv-x86_64/mmu_boot.c, where most of the work is to convince Xen that no table can be written
 * any more. Nor does every frame need an entry: a PV guest has no large pages, here one entry maps
 * 2 MiB.
 *
 *   DIRECT_MAP    all memory, by physical address, in 2 MiB pages; the pieces that the image is in
 *                 in 4 KiB pages, so that text and constants are read-only under this address too
 *   KERNEL_BASE   the image: text read+execute, constants read, data read+write; nothing else
 *   KVM_BASE      an empty table, for kernel stacks and the like (kernel/mm/kvm.c)
 *
 * These three top-level entries are the same in every address space, and are global: they stay in
 * the TLB when CR3 changes.
 *
 * Frames for the tables come from the memory map, which shrinks by them. Until the new tables are
 * loaded only the first 4 GiB can be reached, where they are (boot.S).
 */
#include <string.h>
#include "native.h"

#define KERNEL_DATA (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX | PTE_G)
#define KERNEL_CONST (PTE_P | PTE_A | PTE_NX | PTE_G)
#define KERNEL_TEXT (PTE_P | PTE_A | PTE_G)
#define TABLE (PTE_P | PTE_W | PTE_A)
#define LARGE PT_SPAN(2)
#define LOW_LIMIT (4ull << 30)

extern char _text[], _etext[], _rodata[], _erodata[], _data[], _end[], _image_limit[];
extern char boot_stack_guard[];

static bool loaded;

static uint64_t image_phys(const void *va)
{
	return (uint64_t)va - KERNEL_BASE;
}

void *boot_va(uint64_t phys)
{
	return (void *)(loaded ? DIRECT_MAP + phys : phys);
}

/* Take frames [first, end) out of the list of free ones. */
static void reserve(unsigned long first, unsigned long end)
{
	for (unsigned i = 0; i < boot_info.nr_free; i++) {
		struct boot_range *r = &boot_info.free[i];
		unsigned long r_first = r->first.v, r_end = r_first + r->n;

		if (end <= r_first || first >= r_end)
			continue;
		r->n = first > r_first ? first - r_first : 0;
		if (end < r_end && boot_info.nr_free < BOOT_RANGES)
			boot_info.free[boot_info.nr_free++] = (struct boot_range){PFN(end),
										  r_end - end};
	}
}

pfn_t native_boot_frames(unsigned long n)
{
	for (unsigned i = 0; i < boot_info.nr_free; i++) {
		struct boot_range *r = &boot_info.free[i];
		pfn_t first = r->first;

		if (r->n < n || (!loaded && (first.v + n) << PAGE_SHIFT > LOW_LIMIT))
			continue;
		r->first.v += n;
		r->n -= n;
		memset(boot_va(first.v << PAGE_SHIFT), 0, n * PAGE_SIZE);
		return first;
	}
	native_early_die("not enough memory for the kernel's page tables");
}

static void store(pte_t *slot, uint64_t entry)
{
	slot->v = entry;
	count(pte_stores);
}

static pte_t *table_below(pte_t *slot)
{
	if (!pte_present(*slot))
		store(slot, pte_make(native_boot_frames(1), TABLE).v);
	return boot_va((slot->v & PTE_FRAME));
}

/* The slot of @va in the table of @level, the tables above it made where they are missing. */
static pte_t *slot_of(pte_t *top, unsigned long va, unsigned level)
{
	pte_t *table = top;

	for (unsigned l = 4; l > level; l--)
		table = table_below(&table[PT_INDEX(va, l)]);
	return &table[PT_INDEX(va, level)];
}

static uint64_t direct_flags(uint64_t phys)
{
	return phys >= image_phys(_text) && phys < image_phys(_data) ? KERNEL_CONST : KERNEL_DATA;
}

static void map_piece(pte_t *top, uint64_t phys)
{
	unsigned long va = DIRECT_MAP + phys;

	if (phys + LARGE <= image_phys(_text) || phys >= image_phys(_data)) {
		store(slot_of(top, va, 2), phys | KERNEL_DATA | PTE_PS);
		return;
	}
	for (unsigned long at = 0; at < LARGE; at += PAGE_SIZE)
		store(slot_of(top, va + at, 1), (phys + at) | direct_flags(phys + at));
}

/* Pieces that have memory in them. What else is in such a piece is cached or not as the firmware
 * has told the processor (MTRRs). */
static void map_memory(pte_t *top)
{
	map_piece(top, 0);
	for (unsigned i = 0; i < loader.nr_ranges; i++) {
		const struct loader_range *r = &loader.range[i];

		for (uint64_t at = max(ROUND_DOWN(r->start, LARGE), LARGE);
		     r->ram && at < r->start + r->size && at < DIRECT_MAP_MAX; at += LARGE)
			if (!pte_present(*slot_of(top, DIRECT_MAP + at, 2)))
				map_piece(top, at);
	}
}

static uint64_t image_flags(const char *va)
{
	if (va < _etext)
		return KERNEL_TEXT;
	return va < _erodata ? KERNEL_CONST : KERNEL_DATA;
}

static void map_image(pte_t *top)
{
	for (char *va = _text; va < _image_limit; va += PAGE_SIZE) {
		pte_t *slot = slot_of(top, (unsigned long)va, 1);

		if (va < _end && va != boot_stack_guard)
			store(slot, image_phys(va) | image_flags(va));
	}
}

void native_mmu_boot(void)
{
	pfn_t mod = boot_info.ramdisk;
	pte_t *top;

	reserve(image_phys(_text) >> PAGE_SHIFT, image_phys(_end) >> PAGE_SHIFT);
	if (boot_info.ramdisk_size)
		reserve(mod.v, mod.v + DIV_ROUND_UP(boot_info.ramdisk_size, PAGE_SIZE));

	kernel_mmu.top = kernel_mmu.user_top = native_boot_frames(1);
	top = boot_va(kernel_mmu.top.v << PAGE_SHIFT);
	map_memory(top);
	map_image(top);
	slot_of(top, KVM_BASE, 1);

	kernel_mmu.chain = PFN_NONE;
	kernel_mmu.live = true;
	kernel_mmu.last_va = 1;
	this_cpu()->mmu = NULL;
	native_mmu_load(&kernel_mmu);
	loaded = true;
	native_console_moved();
}
