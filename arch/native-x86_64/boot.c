/* SPDX-License-Identifier: MIT */
/*
 * The first C function natively, and in a PVH domain. The order is that of need, as in
 * arch/pv-x86_64/boot.c: a console needs nothing, traps come before anything that could fault, page
 * tables before anything that touches memory beyond the first 4 GiB.
 *
 * Then the worlds part. CPUID says if there is a hypervisor that calls itself Xen: in that case
 * this is a PVH domain, whose processor is run like a PC's, but which has no PC around it; all else
 * comes from Xen (arch/pv-x86_64/pvh.c).
 */
#include <printk.h>
#include <pvh.h>
#include <record.h>
#include <string.h>
#include "../x86_64/cpuid.h"
#include "native.h"

#define LOW_END 0x100000ull /* firmware's, the screen's, and what is left is little */

struct loader_info loader;
const struct native_early *native_early_instead;

void native_boot(uint32_t magic, uint64_t info, uint64_t tsc) __noreturn;

extern char _text[], _end[], boot_stack_top[];

static void cpu_data_init(void)
{
	struct cpu *c = &cpus[0];

	c->self = c;
	c->kstack_top = (unsigned long)boot_stack_top;
	c->mmu = &kernel_mmu;
}

/*
 * The map of memory as whole frames: RAM rounded inwards, and nothing that any other entry touches.
 * Entries may overlap and come in any order.
 */
static bool is_ram(uint64_t frame)
{
	bool ram = false;

	for (unsigned i = 0; i < loader.nr_ranges; i++) {
		const struct loader_range *r = &loader.range[i];
		uint64_t start = r->start, end = r->start + r->size;

		if (r->ram)
			ram |= start <= frame && frame + PAGE_SIZE <= end;
		else if (start < frame + PAGE_SIZE && end > frame)
			return false;
	}
	return ram;
}

/* The next address behind @at where the answer of is_ram() may change, in whole frames. */
static uint64_t next_edge(uint64_t at)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < loader.nr_ranges; i++) {
		const struct loader_range *r = &loader.range[i];
		uint64_t edges[4] = {
			ROUND_DOWN(r->start, PAGE_SIZE),
			ROUND_UP(r->start, PAGE_SIZE),
			ROUND_DOWN(r->start + r->size, PAGE_SIZE),
			ROUND_UP(r->start + r->size, PAGE_SIZE),
		};

		for (unsigned j = 0; j < ARRAY_SIZE(edges); j++)
			if (edges[j] > at)
				next = min(next, edges[j]);
	}
	return next;
}

static void ram_add(uint64_t start, uint64_t end)
{
	struct boot_range *last = boot_info.nr_free ? &boot_info.free[boot_info.nr_free - 1] : NULL;
	unsigned long first = start >> PAGE_SHIFT, n = (end - start) >> PAGE_SHIFT;

	if (last && last->first.v + last->n == first)
		last->n += n;
	else if (boot_info.nr_free < BOOT_RANGES / 2) /* they may be split */
		boot_info.free[boot_info.nr_free++] = (struct boot_range){PFN(first), n};
}

static void memory_map(void)
{
	unsigned long ram = 0;
	uint64_t at = LOW_END, next;

	for (; at < DIRECT_MAP_MAX; at = next) {
		next = min(next_edge(at), DIRECT_MAP_MAX);
		if (is_ram(at))
			ram_add(at, next);
	}
	for (unsigned i = 0; i < boot_info.nr_free; i++) {
		ram += boot_info.free[i].n;
		nr_pages = boot_info.free[i].first.v + boot_info.free[i].n;
	}
	boot_info.nr_present = nr_pages;
	boot_info.nr_holes = nr_pages - ram;
	if (!ram)
		native_early_die(loader.nr_ranges ? "the loader's map of memory has no memory in it"
						  : "the loader has left no map of memory");
}

/* The image is in memory, the module too, and both are in use. */
static void check_image(void)
{
	uint64_t start = (uint64_t)_text - KERNEL_BASE, end = (uint64_t)_end - KERNEL_BASE;
	bool found = false;

	for (unsigned i = 0; i < boot_info.nr_free; i++) {
		uint64_t first = boot_info.free[i].first.v << PAGE_SHIFT;

		found |= first <= start && end <= first + (boot_info.free[i].n << PAGE_SHIFT);
	}
	if (!found)
		native_early_die("the map of memory does not have the memory that the kernel is "
				 "in, or too little of it (16 MiB are enough)");
}

static void boot_info_init(uint64_t tsc)
{
	uint64_t mod = loader.module, end = mod + loader.module_size;

	boot_info.cmdline = loader.cmdline;
	boot_info.world = "native";
	if (!boot_info.hypervisor[0])
		strlcpy(boot_info.hypervisor, "none", sizeof(boot_info.hypervisor));
	boot_info.entry_tsc = tsc;
	boot_info.ramdisk = PFN_NONE;
	memory_map();
	check_image();
	if (!loader.module_size)
		return;
	if (mod % PAGE_SIZE || end < mod || end > nr_pages << PAGE_SHIFT)
		native_early_die("the boot module is not at a page boundary, or outside of memory");
	boot_info.ramdisk = PFN(mod >> PAGE_SHIFT);
	boot_info.ramdisk_size = loader.module_size;
}

void native_boot(uint32_t magic, uint64_t info, uint64_t tsc)
{
	bool xen = pvh_find_xen();

	cpu_data_init();
	native_console_early();
	cpu_tables_init();
	native_trap_init();
	if (xen)
		pvh_early();
	if (!loader_read(&loader, magic, info))
		native_early_die("started by something unknown: neither a PVH loader (Xen, "
				 "qemu -kernel) nor multiboot2 (GRUB)");
	if (xen)
		pvh_memory_map();
	boot_info_init(tsc);
	boot_mark("entry");
	boot_mark("traps");
	native_mmu_boot();
	native_cpu_init();
	boot_mark("memory");
	if (xen)
		pvh_boot();
	machine = &native_machine;
	acpi_init(loader.rsdp);
	apic_init();
	native_time_init();
	kernel_main();
}
