/* SPDX-License-Identifier: MIT */
/*
 * The PVH world: a processor of one's own, and no PC around it.
 *
 * With the processor's help a domain can run in ring 0 with its own page tables, descriptor tables
 * and interrupt flag, and Xen stays out of the way: what a PV kernel asks for in half of this
 * directory's files, a PVH kernel does by instructions, those of arch/native-x86_64. The processor
 * translates each physical address of the guest's once more (nested paging), so a frame number is
 * whatever Xen has agreed to, pfn and mfn are the same, and no table is anybody else's business.
 *
 * What is left are the devices, and there Xen has nothing of a PC to offer: no interrupt lines, no
 * timer chip, no UART, no disk controller. It offers what a PV domain has, by the same hypercalls.
 * This file is the joint: it finds Xen and asks for what start_info tells a PV domain.
 *
 *     is there Xen?       CPUID, from leaf 0x40000000 in steps of 0x100: "XenVMMXenVMM"
 *     hypercalls          the next leaf but one names an MSR; a write of a page's address to it
 *                         makes Xen fill that page (hypercall.h)
 *     memory map          from the loader, or from version 0 of its table, which has none, by
 *                         XENMEM_memory_map
 *     shared_info         XENMEM_add_to_physmap puts it in place of a frame of ours
 *     console, xenstore   HVMOP_get_param: frame and port; the frames need not be in the memory map
 *     event channels      HVM_PARAM_CALLBACK_IRQ: a vector of our IDT, which Xen raises as soon as
 *                         the interrupt flag allows. No interrupt controller has a part in it, so
 *                         there is no end of interrupt to be signalled
 *
 * The price is an exit from the guest and an entry for each hypercall, which the processor makes
 * dearer than a PV domain's system call; but there are few of them left: about 150 up to the first
 * program, none for a page table. See docs/pvh.md.
 */
#include <printk.h>
#include <pvh.h>
#include <xen/features.h>
#include "../native-x86_64/native.h"
#include "../x86_64/cpuid.h"
#include "hypercall.h"
#include "pv.h"
#include "xen_cpuid.h"

#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define SHARED_FLAGS (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)
#define EARLY_END (4ull << 30) /* boot.S maps what is below */

static uint32_t first_leaf;

bool pvh_find_xen(void)
{
	if (cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR)
		first_leaf = xen_cpuid_find(cpuid);
	return first_leaf != 0;
}

static void hypercalls_init(void)
{
	struct cpuid r = cpuid(first_leaf + 2, 0);

	if (r.eax != 1)
		native_early_die("Xen wants more than one page for hypercalls, or none");
	wrmsr(r.ebx, (unsigned long)hypercall_page - KERNEL_BASE);
	hypercalls_by_page = true;
}

/* HVM_PARAM_*; 0: there is no such thing. */
static uint64_t param(unsigned index)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

	return hyp_hvm_op(HVMOP_get_param, &p) ? 0 : p.value;
}

/* A page that was made for us before we were: not to be used as memory. Its physical address; 0:
 * there is none. */
static uint64_t made_page(unsigned index)
{
	uint64_t frame = param(index), phys = frame << PAGE_SHIFT;

	if (!frame || frame > PTE_FRAME >> PAGE_SHIFT)
		return 0;
	loader_add_range(&loader, phys, PAGE_SIZE, false);
	return phys;
}

static uint64_t console_phys, store_phys;

static void birth_init(void)
{
	birth.pvh = true;
	birth.initial = xen_feature(XENFEAT_dom0);
	if (birth.initial)
		return;
	console_phys = made_page(HVM_PARAM_CONSOLE_PFN);
	birth.console.port = param(HVM_PARAM_CONSOLE_EVTCHN);
	if (console_phys && console_phys < EARLY_END)
		birth.console.page = boot_va(console_phys);
	store_phys = made_page(HVM_PARAM_STORE_PFN);
	birth.store.port = param(HVM_PARAM_STORE_EVTCHN);
}

void pvh_memory_map(void)
{
	static struct e820_entry entries[LOADER_RANGES];
	struct xen_memory_map map = {.nr_entries = ARRAY_SIZE(entries)};

	for (unsigned i = 0; i < loader.nr_ranges; i++)
		if (loader.range[i].ram)
			return;
	set_xen_guest_handle(map.buffer, entries);
	if (hyp_memory_op(XENMEM_memory_map, &map))
		return; /* the caller sees that there is none */
	for (unsigned i = 0; i < map.nr_entries && i < ARRAY_SIZE(entries); i++)
		loader_add_range(&loader, entries[i].addr, entries[i].size,
				 entries[i].type == E820_RAM);
}

static const struct native_early xen_console = {.print = early_print, .die = early_die};

void pvh_early(void)
{
	this_cpu()->arch = &early_vcpu_info;
	hypercalls_init();
	features_init();
	birth_init();
	console_early();
	native_early_instead = &xen_console;
}

static void map_page(const void *va, uint64_t phys)
{
	pte_t *slot = mmu_slot(&kernel_mmu, (unsigned long)va, false);

	if (!slot)
		early_die("no page table for the pages shared with Xen");
	native_pte_write_now(&kernel_mmu, (unsigned long)va, slot, (pte_t){phys | SHARED_FLAGS});
}

static void shared_info_init(void)
{
	pfn_t frame = native_boot_frames(1);

	if (hyp_add_to_physmap(XENMAPSPACE_shared_info, 0, frame.v))
		early_die("Xen refused the shared_info page");
	map_page(&shared_info_page, frame.v << PAGE_SHIFT);
	events_init();
}

static void made_pages_init(void)
{
	if (console_phys) {
		map_page(xen_console_page, console_phys);
		birth.console.page = xen_console_page;
	}
	if (store_phys && birth.store.port) {
		map_page(xen_store_page, store_phys);
		birth.store.page = xen_store_page;
	}
	console_moved();
}

static void upcall(void *unused)
{
	(void)unused;
	events_deliver();
}

static void upcall_init(void)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ};
	int vector = irq_alloc_vector(upcall, NULL, "event channels");

	if (vector < 0)
		early_die("no interrupt vector for event channels");
	p.value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | (unsigned)vector;
	if (hyp_hvm_op(HVMOP_set_param, &p))
		early_die("Xen refused the interrupt vector for event channels");
}

void pvh_boot(void)
{
	shared_info_init();
	made_pages_init();
	boot_info.world = "pvh";
	machine = &pvh_machine; /* locks need it */
	upcall_init();
	trace_stamps_dear = cpuid(first_leaf + 3, 0).eax & 1; /* does RDTSC trap into Xen? */
	time_init();
	native_nmi = pv_nmi;
	nmi_init();
	console_bind();
	kernel_main();
}

const struct machine pvh_machine = {
	.name = "pvh",
	.user_cs = USER_CS,
	.user_ss = USER_SS,
	.trap_return = native_trap_return,

	.irq_enable = native_irq_enable,
	.irq_disable = native_irq_disable,
	.irq_enabled = native_irq_enabled,
	.idle = native_idle,

	.switch_to = native_switch_to,
	.set_fs_base = native_set_fs_base,

	.top_create = native_top_create,
	.top_destroy = native_top_destroy,
	.table_publish = native_table_publish,
	.table_retire = native_table_retire,
	.table_link = native_table_link,
	.pte_write = native_pte_write,
	.pte_commit = native_pte_commit,
	.pte_write_now = native_pte_write_now,
	.pte_pending = native_pte_pending,
	.mmu_load = native_mmu_load,

	.clock_monotonic = pv_clock_monotonic,
	.clock_wall_offset = pv_clock_wall_offset,
	.timer_set = pv_timer_set,

	.console_write = pv_console_write,
	.console_read = pv_console_read,

	.start_drivers = pv_start_drivers,

	.power = pv_power,

	.call_names = hypercall_names,
	.describe = pv_describe,
	.selftest = pv_selftest,
};
