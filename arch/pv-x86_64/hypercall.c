/* SPDX-License-Identifier: MIT */
/* The counted and traced hypercall, and the names of the calls. See hypercall.h. */
#include <cpu.h>
#include <trace.h>
#include <types.h>
#include "hypercall.h"

_Static_assert(__HYPERVISOR_event_channel_op < MAX_CALLS, "cpu->calls is indexed by call number");

bool hypercalls_by_page;

long hypercall(unsigned nr, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
	       unsigned long a5)
{
	struct cpu *c = this_cpu();
	long result;

	c->calls[nr]++;
	result = hypercall_raw(nr, a1, a2, a3, a4, a5);
	if (unlikely(result < 0))
		this_cpu()->call_errors++;
	trace(call, nr, a1, result);
	return result;
}

/* By call number; "" where a 64-bit guest has no such call. */
const char *const hypercall_names[] = {
	"set_trap_table",
	"mmu_update",
	"set_gdt",
	"stack_switch",
	"set_callbacks",
	"fpu_taskswitch",
	"sched_op_compat",
	"platform_op",
	"set_debugreg",
	"get_debugreg",
	"update_descriptor",
	"",
	"memory_op",
	"multicall",
	"update_va_mapping",
	"set_timer_op",
	"event_channel_op_compat",
	"xen_version",
	"console_io",
	"physdev_op_compat",
	"grant_table_op",
	"vm_assist",
	"update_va_mapping_otherdomain",
	"iret",
	"vcpu_op",
	"set_segment_base",
	"mmuext_op",
	"xsm_op",
	"nmi_op",
	"sched_op",
	"callback_op",
	"xenoprof_op",
	"event_channel_op",
	"physdev_op",
	"hvm_op",
	"sysctl",
	"domctl",
	"kexec_op",
	"tmem_op",
	"argo_op",
	"xenpmu_op",
	"dm_op",
	"hypfs_op",
	NULL,
};
