/* SPDX-License-Identifier: MIT */
/*
 * Physical addresses that the direct map does not have: registers of devices, and what the firmware
 * has kept for itself (ACPI's tables). They are needed before there is a page allocator, so the
 * page tables for them are part of the image: a window of 8 MiB behind the kernel's own mappings,
 * filled from its start and never taken back. What has been mapped once is found again, for the
 * entries in the tables are the record.
 *
 * Registers are mapped uncached: a load or store is then one access to the device, in the order of
 * the program.
 */
#include <lock.h>
#include <printk.h>
#include "../x86_64/cpuid.h"
#include "native.h"

#define WINDOW (KVM_BASE + KVM_SIZE)
#define TABLES 4
#define SLOTS (TABLES * PT_ENTRIES)

static __aligned(PAGE_SIZE) pte_t level1[SLOTS];
static __aligned(PAGE_SIZE) pte_t level2[PT_ENTRIES];
static unsigned used;
static spinlock_t lock = SPINLOCK("mmio");

_Static_assert(PT_INDEX(WINDOW, 1) == 0 && PT_INDEX(WINDOW, 2) + TABLES <= PT_ENTRIES,
	       "the window begins with a table, and one of level 2 has them all");
_Static_assert(PT_INDEX(WINDOW, 4) == PT_INDEX(KVM_BASE, 4), "one of level 3 has both");

static pte_t table_entry(const pte_t *table)
{
	return (pte_t){((unsigned long)table - KERNEL_BASE) | PTE_P | PTE_W | PTE_A | PTE_D};
}

/* The table of level 3 is that of the kernel's other mappings (mmu_boot.c). */
static void window_init(void)
{
	pte_t *top = pfn_va(kernel_mmu.top), *level3 = pfn_va(pte_pfn(top[PT_INDEX(WINDOW, 4)]));

	for (unsigned i = 0; i < TABLES; i++)
		level2[PT_INDEX(WINDOW, 2) + i] = table_entry(level1 + i * PT_ENTRIES);
	level3[PT_INDEX(WINDOW, 3)] = table_entry(level2);
}

/* @n entries from @first on, found, or made where the window is not used yet. */
static unsigned slots_for(uint64_t first, unsigned n)
{
	unsigned at, same = 0;

	for (at = 0; at < used && same < n; at++)
		same = level1[at].v == first + same * PAGE_SIZE ? same + 1 : 0;
	if (same == n)
		return at - n;
	if (n > SLOTS - used)
		return SLOTS;
	for (unsigned i = 0; i < n; i++)
		level1[used + i].v = first + i * PAGE_SIZE;
	used += n;
	return used - n;
}

static unsigned physical_bits(void)
{
	return cpuid(0x80000000, 0).eax >= 0x80000008 ? cpuid(0x80000008, 0).eax & 0xff : 36;
}

static void *map(uint64_t phys, size_t len, uint64_t flags)
{
	unsigned long offset = phys & ~PAGE_MASK;
	unsigned at;

	if (len == 0 || len > SLOTS * PAGE_SIZE || phys >> physical_bits() ||
	    (phys + len - 1) >> physical_bits())
		return NULL;
	spin_lock(&lock);
	if (used == 0)
		window_init();
	at = slots_for((phys & PAGE_MASK) | flags | PTE_P | PTE_A | PTE_D | PTE_NX,
		       DIV_ROUND_UP(offset + len, PAGE_SIZE));
	spin_unlock(&lock);
	if (at == SLOTS) {
		printk("mmio: no room to map %lu bytes at 0x%lx\n", len, phys);
		return NULL;
	}
	return (char *)WINDOW + at * PAGE_SIZE + offset;
}

volatile void *mmio_map(uint64_t phys, size_t len)
{
	return map(phys, len, PTE_W | PTE_PCD | PTE_PWT);
}

const void *firmware_map(uint64_t phys, size_t len)
{
	return map(phys, len, 0);
}
