/* SPDX-License-Identifier: MIT */
/*
 * What belongs to the processor when the thread changes.
 *
 *     natively                             PV
 *     -----------------------------------  ----------------------------------------------------
 *     mov to CR3                           MMUEXT_NEW_BASEPTR, MMUEXT_NEW_USER_BASEPTR
 *     TSS.rsp0 = stack                     stack_switch
 *     wrmsr FS_BASE                        set_segment_base
 *     (TLB entries of changed mappings)    the update queue's entries
 *
 * Each would be a trip into Xen of about 500 instructions, and most of that is the trip; a
 * multicall makes one trip for all. What need not change is left out: a kernel thread never enters
 * from user mode, so it needs no stack, FS base or page tables of its own (it runs on those that
 * are loaded), and when the same program goes on after it, nothing has to be done at all. So
 * waiting in the idle thread and coming back costs no hypercall here.
 *
 * GS: per-CPU data is at the kernel's GS base. Natively entry code executes swapgs; Xen does it
 * when it switches between guest kernel and guest user mode, so we set the kernel's once at boot. A
 * program may load its FS selector and spoil its base without our knowing, therefore the base is
 * set at each change of program, not only when the number differs.
 */
#include <lock.h>
#include <printk.h>
#include <xen/arch-x86/cpuid.h>
#include "../x86_64/cpuid.h"
#include "hypercall.h"
#include "pv.h"

static struct pv_cpu {
	const struct thread_arch *user; /* whose stack and FS base Xen has */
	unsigned long kstack_top;
	unsigned long fs_base;
	struct multicall_entry mc[6];
	struct mmuext_op op[2];
} pv_cpus[MAX_CPUS];

void cpu_init(void)
{
	cpuid_forced = true;
	trace_stamps_dear = cpuid(XEN_CPUID_LEAF(3), 0).eax & 1; /* does RDTSC trap into Xen? */
}

static unsigned add_load(struct pv_cpu *p, unsigned n, struct mmu *to_mmu)
{
	pv_load_ops(to_mmu, p->op);
	p->mc[n].op = __HYPERVISOR_mmuext_op;
	p->mc[n].args[0] = HC(p->op);
	p->mc[n].args[1] = 2;
	p->mc[n].args[2] = 0;
	p->mc[n].args[3] = DOMID_SELF;
	return n + 1;
}

static unsigned add_user(struct pv_cpu *p, unsigned n, const struct thread_arch *to)
{
	p->mc[n].op = __HYPERVISOR_stack_switch;
	p->mc[n].args[0] = FLAT_KERNEL_SS;
	p->mc[n].args[1] = to->kstack_top;
	p->mc[n + 1].op = __HYPERVISOR_set_segment_base;
	p->mc[n + 1].args[0] = SEGBASE_FS;
	p->mc[n + 1].args[1] = to->fs_base;
	p->user = to;
	p->kstack_top = to->kstack_top;
	p->fs_base = to->fs_base;
	return n + 2;
}

static void failed(const struct pv_cpu *p, unsigned from, unsigned n)
{
	for (unsigned i = from; i < n; i++)
		if ((long)p->mc[i].result < 0)
			panic("thread switch: Xen refused %s: error %ld",
			      hypercall_names[p->mc[i].op], (long)p->mc[i].result);
}

/*
 * Instead of `mov %cr3`, TSS.rsp0 and `wrmsr`: NEW_BASEPTR and NEW_USER_BASEPTR, stack_switch,
 * set_segment_base in one multicall. Cost: a hypercall; none between kernel threads.
 */
void pv_switch_to(struct thread_arch *from, struct thread_arch *to, struct mmu *to_mmu)
{
	struct pv_cpu *p = &pv_cpus[this_cpu()->id];
	bool user = to->fpu != NULL;
	unsigned queued, n;

	(void)from;
	irq_push_off();
	queued = n = queue_take(p->mc);
	if (to_mmu != this_cpu()->mmu)
		n = add_load(p, n, to_mmu);
	if (user && (p->user != to || p->kstack_top != to->kstack_top || p->fs_base != to->fs_base))
		n = add_user(p, n, to);
	if (n) {
		hyp_multicall(p->mc, n);
		queue_taken(p->mc, queued);
		failed(p, queued, n);
		if (to_mmu != this_cpu()->mmu)
			pv_loaded(to_mmu);
	}
	irq_pop_off();
}

/*
 * Instead of `wrmsr FS_BASE`: set_segment_base. Cost: a hypercall. Of the thread now running.
 * @base is canonical: checked by the caller.
 */
void pv_set_fs_base(unsigned long base)
{
	struct pv_cpu *p = &pv_cpus[this_cpu()->id];

	hyp_set_segment_base(SEGBASE_FS, base);
	p->fs_base = base;
}
