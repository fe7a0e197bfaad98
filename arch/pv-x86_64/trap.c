/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: registering the entry points, and the first C function after them.
 *
 * Natively an IDT in memory and `lidt`. Here the processor's IDT is Xen's: every exception goes to
 * Xen first, which handles what is its own (a fault on a page table that it emulates, a privileged
 * instruction that it emulates) and "bounces" the rest: it builds a frame on the guest kernel's
 * stack and enters the address given in the trap table. set_trap_table hands over the whole table
 * in one call, Xen copies it. Each entry says
 *
 *     vector, address, code segment;
 *     flags bits 0-1   lowest ring that may raise it by an `int` instruction: 3 for int3 and into,
 *                      0 for the others (the ring of user programs is 3 here too, but Xen lets its
 *                      own bookkeeping decide, so `int $14` from a program is a protection fault)
 *     flags bit 2      mask events on entry, as an interrupt gate clears IF: for page faults, so
 *                      that the address below is read before anything else can fault
 *
 * Any exception without an entry kills the domain, hence all of them are filled in. The faulting
 * address is not in CR2 (reading it faults into Xen: 2000 instructions) but in
 * vcpu_info.arch.cr2, which Xen writes before it enters us.
 *
 * System calls and events have callbacks instead of vectors (callback_op). All of this is done
 * before anything else at boot: until then a fault of ours is the silent end of the domain.
 */
#include <printk.h>
#include "../x86_64/selftest.h"
#include "hypercall.h"
#include "pv.h"

void entry_divide(void);
void entry_debug(void);
void entry_nmi(void);
void entry_int3(void);
void entry_overflow(void);
void entry_bounds(void);
void entry_invalid_op(void);
void entry_no_fpu(void);
void entry_double_fault(void);
void entry_invalid_tss(void);
void entry_no_segment(void);
void entry_stack(void);
void entry_protection(void);
void entry_page_fault(void);
void entry_x87(void);
void entry_alignment(void);
void entry_machine_check(void);
void entry_simd(void);
void entry_event(void);
void entry_failsafe(void);
void entry_syscall(void);
void entry_syscall32(void);

#define USER_MAY_RAISE 3
#define MASK_EVENTS 4

#define ENTRY(vec, fl, fn)                                            \
	{                                                             \
		.vector = (vec), .flags = (fl), .cs = FLAT_KERNEL_CS, \
		.address = (unsigned long)(fn)                        \
	}

static const struct trap_info trap_table[] = {
	ENTRY(TRAP_DE, 0, entry_divide),
	ENTRY(TRAP_DB, MASK_EVENTS, entry_debug),
	ENTRY(TRAP_NMI, MASK_EVENTS, entry_nmi),
	ENTRY(TRAP_BP, USER_MAY_RAISE, entry_int3),
	ENTRY(TRAP_OF, USER_MAY_RAISE, entry_overflow),
	ENTRY(TRAP_BR, 0, entry_bounds),
	ENTRY(TRAP_UD, 0, entry_invalid_op),
	ENTRY(TRAP_NM, 0, entry_no_fpu),
	ENTRY(TRAP_DF, MASK_EVENTS, entry_double_fault),
	ENTRY(TRAP_TS, 0, entry_invalid_tss),
	ENTRY(TRAP_NP, 0, entry_no_segment),
	ENTRY(TRAP_SS, 0, entry_stack),
	ENTRY(TRAP_GP, 0, entry_protection),
	ENTRY(TRAP_PF, MASK_EVENTS, entry_page_fault),
	ENTRY(TRAP_MF, 0, entry_x87),
	ENTRY(TRAP_AC, 0, entry_alignment),
	ENTRY(TRAP_MC, MASK_EVENTS, entry_machine_check),
	ENTRY(TRAP_XM, 0, entry_simd),
	{0},
};

static bool in_trap_early;

static void callback(unsigned type, void (*entry)(void), unsigned flags)
{
	struct callback_register reg = {
		.type = type,
		.flags = flags,
		.address = (unsigned long)entry,
	};

	if (hyp_callback_op(CALLBACKOP_register, &reg))
		early_die("Xen refused a callback (event, failsafe or system call)");
}

void trap_init(void)
{
	if (hyp_set_trap_table(trap_table))
		early_die("Xen refused the trap table");
	callback(CALLBACKTYPE_event, entry_event, 0);
	callback(CALLBACKTYPE_failsafe, entry_failsafe, CALLBACKF_mask_events);
	callback(CALLBACKTYPE_syscall, entry_syscall, 0);
	callback(CALLBACKTYPE_syscall32, entry_syscall32, 0);
}

static void early_trap(const struct trapframe *tf)
{
	early_print_hex("exception, vector ", tf->vector);
	early_print_hex("  error code ", tf->err);
	early_print_hex("  at address ", tf->rip);
	early_print_hex("  touching   ", tf->cr2);
	early_print_hex("  stack      ", tf->rsp);
	early_die("an exception before there is a handler (see build/parvix.sym)");
}

/* From entry.S. */
void pv_trap(struct trapframe *tf)
{
	if (unlikely(tf->vector == TRAP_NMI)) {
		pv_nmi(tf);
		return;
	}
	tf->cr2 = tf->vector == TRAP_PF ? this_vcpu_info()->arch.cr2 : 0;
	tf->cs &= 0xffff; /* the event mask lies above the selector */
	if (unlikely(trap_counted(tf)))
		return;
	if (unlikely(!machine)) {
		if (in_trap_early)
			early_die("an exception while reporting an exception");
		in_trap_early = true;
		early_trap(tf);
	}
	if (tf->rflags & RFLAGS_IF)
		pv_irq_enable();
	trap_dispatch(tf);
}

void pv_failsafe(struct trapframe *tf)
{
	panic_frame(tf, "failsafe callback: Xen could not load a segment register");
}
