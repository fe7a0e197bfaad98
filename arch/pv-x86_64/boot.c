/* SPDX-License-Identifier: MIT */
/*
 * The first C function under PV. The order is that of need: a console needs nothing, per-CPU data
 * is needed by every counted hypercall, traps come before anything that could fault, page tables
 * before anything that touches memory outside the image.
 */
#include <printk.h>
#include <record.h>
#include <string.h>
#include "hypercall.h"
#include "pv.h"

struct start_info start_info;
struct vcpu_info early_vcpu_info = {.evtchn_upcall_mask = 1};

void pv_boot(const struct start_info *si, unsigned long builder_sp, uint64_t tsc) __noreturn;

extern char boot_stack_guard[];

static void cpu_data_init(void)
{
	struct cpu *c = &cpus[0];

	c->self = c;
	c->arch = &early_vcpu_info;
	c->kstack_top = (unsigned long)boot_stack_guard + 5 * PAGE_SIZE;
	c->mmu = &kernel_mmu;
	/* Not counted: the counter is what it makes reachable. */
	if (hypercall_raw(__HYPERVISOR_set_segment_base, SEGBASE_GS_KERNEL, HC(c), 0, 0, 0))
		early_die("Xen refused the GS base");
	c->calls[__HYPERVISOR_set_segment_base]++;
}

static void boot_info_init(uint64_t tsc)
{
	boot_info.cmdline = (const char *)start_info.cmd_line;
	boot_info.world = "pv";
	boot_info.entry_tsc = tsc;
	boot_info.ramdisk = PFN_NONE;
	start_info.cmd_line[sizeof(start_info.cmd_line) - 1] = 0;
	if (start_info.mod_len) {
		if (!(start_info.flags & SIF_MOD_START_PFN))
			early_die("the boot module came mapped, not by frame number: note "
				  "MOD_START_PFN");
		boot_info.ramdisk = PFN(start_info.mod_start);
		boot_info.ramdisk_size = start_info.mod_len;
	}
}

/*
 * The console's page, where the domain builder has mapped it, behind the image. All that is told of
 * it is its machine frame; Xen's m2p table has our number of that.
 */
static void birth_console(const struct start_info *si, unsigned long builder_end)
{
	const unsigned long *m2p = (const unsigned long *)MACH2PHYS_VIRT_START;
	unsigned long mfn = si->console.domU.mfn, pfn;

	birth.initial = si->flags & SIF_INITDOMAIN;
	if (birth.initial || !mfn)
		return;
	pfn = m2p[mfn];
	if (pfn >= si->nr_pages || KERNEL_BASE + (pfn << PAGE_SHIFT) >= builder_end)
		return;
	birth.console.page = (void *)(KERNEL_BASE + (pfn << PAGE_SHIFT));
	birth.console.port = si->console.domU.evtchn;
}

/* Xenstore's, reached through the direct map. */
static void birth_store(void)
{
	unsigned long mfn = start_info.store_mfn;
	pfn_t pfn;

	if (birth.initial || !mfn || !start_info.store_evtchn)
		return;
	pfn = mfn_to_pfn(MFN(mfn));
	if (pfn.v >= nr_pages || pfn_to_mfn(pfn).v != mfn)
		return;
	birth.store = (struct hv_channel){pfn_va(pfn), start_info.store_evtchn};
}

void pv_boot(const struct start_info *si, unsigned long builder_sp, uint64_t tsc)
{
	birth_console(si, builder_sp);
	console_early();
	cpu_data_init();
	trap_init();
	start_info = *si;
	boot_info_init(tsc);
	boot_mark("entry");
	boot_mark("traps");
	features_init();
	cpu_init();
	p2m_init(&start_info);
	mmu_boot(builder_sp);
	boot_frames_done();
	boot_mark("memory");
	birth_store();
	events_init();
	machine = &pv_machine;
	queue_init();
	time_init();
	nmi_init();
	console_bind();
	kernel_main();
}
