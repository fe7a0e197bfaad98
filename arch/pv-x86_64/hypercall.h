/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: how a PV kernel asks Xen for what a native kernel does by privileged instruction.
 *
 * A 64-bit PV guest runs its kernel in ring 3 like its programs, so the `syscall` instruction
 * always arrives in Xen. Xen keeps a flag per virtual CPU, "in guest kernel mode": if it is set,
 * the instruction is a hypercall (number in %rax, up to five arguments in %rdi %rsi %rdx %r10 %r8,
 * result in %rax, negative Xen errno on failure); if not, it is a user program's system call and
 * goes to the callback that trap.c registers. %rcx and %r11 are lost as with any `syscall`.
 *
 * In a PVH domain `syscall` is a program's own and arrives in the kernel. There an instruction that
 * makes the processor leave the guest must be used, `vmcall` or `vmmcall`, by maker of the
 * processor. So that nobody need know, Xen fills a page of the guest's text with routines of 32
 * bytes, one per call (the "hypercall page", asked for in pvh.c), and a call goes to the one with
 * its number. Registers are the same. One flag tells which of the two it is.
 *
 * hypercall() counts every call by its number in this CPU's cpu->calls[], counts failures, and
 * leaves a record in the trace ring: /proc/hypercalls and /proc/trace show them. The iret
 * hypercall, which never comes back, is made by entry.S and counted there. Below, one typed wrapper
 * per call; each names its header in <xen/...>, where arguments are described.
 */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include <cpu.h>
#include <types.h>
#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

/* PVH: calls go to the page in which Xen has put a routine for each. PV: `syscall`. */
extern bool hypercalls_by_page;
extern char hypercall_page[];
#define HYPERCALL_SIZE 32

/* Uncounted: before per-CPU data exists, and inside hypercall(). */
static inline long hypercall_raw(unsigned nr, unsigned long a1, unsigned long a2, unsigned long a3,
				 unsigned long a4, unsigned long a5)
{
	register unsigned long r10 __asm__("r10") = a4;
	register unsigned long r8 __asm__("r8") = a5;
	long result;

	if (unlikely(hypercalls_by_page)) {
		__asm__ volatile("call *%6"
				 : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
				 : "r"(hypercall_page + nr * HYPERCALL_SIZE)
				 : "rcx", "r11", "memory");
		return result;
	}
	__asm__ volatile("syscall"
			 : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 : "0"((unsigned long)nr)
			 : "rcx", "r11", "memory");
	return result;
}

/* Counted and traced. Result as Xen gives it. */
long hypercall(unsigned nr, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
	       unsigned long a5);

#define HC(x) ((unsigned long)(x))

/* <xen/xen.h>: @count updates; *@done: how many were made. */
static inline long hyp_mmu_update(const struct mmu_update *req, unsigned count, unsigned *done)
{
	return hypercall(__HYPERVISOR_mmu_update, HC(req), count, HC(done), DOMID_SELF, 0);
}

static inline long hyp_mmuext_op(const struct mmuext_op *op, unsigned count, unsigned *done)
{
	return hypercall(__HYPERVISOR_mmuext_op, HC(op), count, HC(done), DOMID_SELF, 0);
}

/* @flags: UVMF_*. The page tables now loaded are meant. */
static inline long hyp_update_va_mapping(unsigned long va, uint64_t pte, unsigned long flags)
{
	return hypercall(__HYPERVISOR_update_va_mapping, va, pte, flags, 0, 0);
}

/* Each entry's result is in the entry. */
static inline long hyp_multicall(struct multicall_entry *calls, unsigned n)
{
	this_cpu()->batches[tally_size(n)]++;
	return hypercall(__HYPERVISOR_multicall, HC(calls), n, 0, 0, 0);
}

static inline long hyp_set_trap_table(const struct trap_info *table)
{
	return hypercall(__HYPERVISOR_set_trap_table, HC(table), 0, 0, 0, 0);
}

/* <xen/callback.h> */
static inline long hyp_callback_op(int cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_callback_op, HC(cmd), HC(arg), 0, 0, 0);
}

/* The stack on which Xen builds frames for entries from user mode. */
static inline long hyp_stack_switch(unsigned long ss, unsigned long sp)
{
	return hypercall(__HYPERVISOR_stack_switch, ss, sp, 0, 0, 0);
}

/* @which: SEGBASE_* */
static inline long hyp_set_segment_base(unsigned which, unsigned long base)
{
	return hypercall(__HYPERVISOR_set_segment_base, which, base, 0, 0, 0);
}

/* <xen/sched.h> */
static inline long hyp_sched_op(int cmd, const void *arg)
{
	return hypercall(__HYPERVISOR_sched_op, HC(cmd), HC(arg), 0, 0, 0);
}

/* <xen/vcpu.h> */
static inline long hyp_vcpu_op(int cmd, unsigned vcpu, const void *arg)
{
	return hypercall(__HYPERVISOR_vcpu_op, HC(cmd), vcpu, HC(arg), 0, 0);
}

/* <xen/event_channel.h> */
static inline long hyp_event_channel_op(int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, HC(cmd), HC(arg), 0, 0, 0);
}

/* <xen/grant_table.h>: @n operations. */
static inline long hyp_grant_table_op(unsigned cmd, void *ops, unsigned n)
{
	return hypercall(__HYPERVISOR_grant_table_op, cmd, HC(ops), n, 0, 0);
}

/* <xen/memory.h> */
static inline long hyp_memory_op(unsigned cmd, void *arg)
{
	return hypercall(__HYPERVISOR_memory_op, cmd, HC(arg), 0, 0, 0);
}

/* PVH: page @idx of @space (XENMAPSPACE_*) takes the place of our frame @gfn. */
static inline long hyp_add_to_physmap(unsigned space, unsigned long idx, unsigned long gfn)
{
	struct xen_add_to_physmap add = {
		.domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = gfn};

	return hyp_memory_op(XENMEM_add_to_physmap, &add);
}

/* <xen/version.h>. cmd 0: forces pending events to be delivered, as any hypercall does. */
static inline long hyp_xen_version(int cmd, void *arg)
{
	return hypercall(__HYPERVISOR_xen_version, HC(cmd), HC(arg), 0, 0, 0);
}

/* <xen/hvm/hvm_op.h>: PVH only. */
static inline long hyp_hvm_op(unsigned cmd, void *arg)
{
	return hypercall(__HYPERVISOR_hvm_op, cmd, HC(arg), 0, 0, 0);
}

/* @cmd: CONSOLEIO_write, CONSOLEIO_read. Bytes read, or 0. */
static inline long hyp_console_io(int cmd, unsigned count, char *buf)
{
	return hypercall(__HYPERVISOR_console_io, HC(cmd), count, HC(buf), 0, 0);
}

extern const char *const hypercall_names[];

#endif
