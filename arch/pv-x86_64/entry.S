/* SPDX-License-Identifier: MIT */
/*
 * Into the kernel and out of it.
 *
 * What lies on the kernel stack when an entry point below is reached, lowest address last:
 *
 *     the processor, natively          Xen, for a PV guest
 *     -----------------------          ------------------------------------------------------
 *     ss                               ss
 *     rsp                              rsp
 *     rflags                           rflags: IF is not the processor's, but "events were not
 *                                              masked" (vcpu_info.evtchn_upcall_mask == 0)
 *     cs       ring in bits 0-1        cs:     bits 0-1: 0 guest kernel, 3 guest user, though both
 *                                              run in ring 3; bits 32-39: the mask itself
 *     rip                              rip
 *     [error code]                     [error code]     same vectors as natively
 *                                      r11     } Xen enters us by `sysretq`, which needs these two
 *                                      rcx     } registers for itself: it leaves them here
 *
 * From user mode the frame is on the stack that the stack_switch hypercall named (natively:
 * TSS.rsp0), from kernel mode on the stack in use. The entry points pop rcx and r11 and build
 * struct trapframe (<frame.h>), so that the rest of the kernel sees one layout in every world.
 *
 * The way out is the iret hypercall. Natively `iretq` restores rflags and with it the interrupt
 * flag in the same instruction that leaves the kernel. A ring-3 kernel cannot switch page tables,
 * GS base and "mode" by an instruction, so it asks Xen with this on its stack (struct iret_context):
 *
 *     ss  rsp  rflags  cs  rip  |  flags  rcx  r11  rax
 *
 * The upper five are where they were; the lower four overwrite trapframe slots that have been
 * loaded already. Xen sets the event mask from rflags.IF and then looks for pending events, so
 * between our unmasking and the return nothing can be lost and no critical region has to be fixed
 * up in the event callback. (A kernel that unmasks by itself and then runs a plain iretq needs one:
 * that is where Linux's "critical region fixup" comes from.) It costs one entry into Xen, about
 * half of a null system call.
 *
 * VGCF_in_syscall in `flags` says that rcx and r11 need not be restored, because the program
 * expects `syscall` to destroy them; Xen then leaves by sysretq. Nor need the registers be
 * loaded that C functions preserve. Both are right only if the frame is still the one that the
 * system call made. Whoever puts other registers into it (sigreturn, exec, a restarted call) marks
 * it by another `vector`.
 */
#include "../x86_64/asm-offsets.h"
#include "../x86_64/push-regs.inc"

#define HYPERVISOR_iret 23
#define VGCF_in_syscall 0x100
#define TRAP_SYSCALL 0x100
#define TRAP_EVENT 0x101
#define UPCALL_MASK 1		/* offset in struct vcpu_info */

/* All but rax rcx rdx rsi rdi r11, which the caller of this loads as it needs. */
.macro LOAD_REGS
	addq $16, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
.endm

	.section .entry.text, "ax"

/* One entry point per exception vector: xen_trap_table (trap.c) lists them. */
.macro TRAP name, vector, has_error
	.globl entry_\name
	.type entry_\name, @function
entry_\name:
	popq %rcx
	popq %r11
	.if !\has_error
	pushq $0
	.endif
	pushq $\vector
	jmp trap_common
	.size entry_\name, . - entry_\name
.endm

TRAP divide, 0, 0
TRAP debug, 1, 0
TRAP nmi, 2, 0
TRAP int3, 3, 0
TRAP overflow, 4, 0
TRAP bounds, 5, 0
TRAP invalid_op, 6, 0
TRAP no_fpu, 7, 0
TRAP double_fault, 8, 1
TRAP invalid_tss, 10, 1
TRAP no_segment, 11, 1
TRAP stack, 12, 1
TRAP protection, 13, 1
TRAP page_fault, 14, 1
TRAP x87, 16, 0
TRAP alignment, 17, 1
TRAP machine_check, 18, 0
TRAP simd, 19, 0

	.type trap_common, @function
trap_common:
	PUSH_REGS
	cld
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call pv_trap			/* trap.c: address of a page fault, counters, trap_dispatch() */
	jmp pv_trap_return

/* An event is pending and events are not masked. Xen has set the mask before coming here. */
	.globl entry_event
	.type entry_event, @function
entry_event:
	popq %rcx
	popq %r11
	pushq $0
	pushq $TRAP_EVENT
	PUSH_REGS
	cld
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call pv_event			/* events.c */
	/* Fall through: */

/*
 * Instead of `iretq` or `sysretq`: HYPERVISOR_iret, which sets mode, page tables, GS and event mask.
 * Cost: a hypercall.
 * Leave by the trapframe at %rsp. New threads come here too (thread_start). Returning to the kernel
 * needs no hypercall if nothing asks for one; keeping to one way out is worth more than those
 * instructions, because events arrive in the kernel only from idling or long work.
 */
	.globl pv_trap_return
	.type pv_trap_return, @function
pv_trap_return:
	testb $3, TF_CS(%rsp)
	jz 2f
1:	movq %gs:CPU_ARCH, %rax
	movb $1, UPCALL_MASK(%rax)	/* no events from here on: iret unmasks */
	cmpl $0, %gs:CPU_WORK
	jne 3f
2:	LOAD_REGS
	/* Left on the stack: rcx rdx rsi rdi vector err rip .. ; wanted: rax r11 rcx flags rip .. */
	incq %gs:CPU_CALLS + 8 * HYPERVISOR_iret
	popq %rcx
	popq %rdx
	movq (%rsp), %rsi
	movq 8(%rsp), %rdi
	movq %rax, (%rsp)
	movq %r11, 8(%rsp)
	movq %rcx, 16(%rsp)
	movq $0, 24(%rsp)
	movl $HYPERVISOR_iret, %eax
	syscall
	ud2

3:	movq %rsp, %rdi
	call user_return_work
	jmp 1b
	.size pv_trap_return, . - pv_trap_return

/*
 * System calls: `syscall` in guest user mode. Arguments in rdi rsi rdx r10 r8 r9, number in rax.
 * Registered without CALLBACKF_mask_events: events stay as the program had them, on, so there is
 * nothing to switch on here and an event may arrive at any instruction; its frame goes below ours.
 */
	.globl entry_syscall
	.type entry_syscall, @function
entry_syscall:
	popq %rcx
	popq %r11
	pushq %rax			/* err: the call's number */
	pushq $TRAP_SYSCALL
	PUSH_REGS
	cld				/* Xen passes the program's direction flag on */
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call syscall_dispatch
	movq %gs:CPU_ARCH, %rax
	movb $1, UPCALL_MASK(%rax)
	cmpl $0, %gs:CPU_WORK
	jne 3b
	cmpl $TRAP_SYSCALL, TF_VECTOR(%rsp)
	jne 2b
	/* rbx and r12 to r15 are what they were: C functions preserve them. */
	movq TF_RBP(%rsp), %rbp
	movq TF_R10(%rsp), %r10
	movq TF_R9(%rsp), %r9
	movq TF_R8(%rsp), %r8
	movq TF_RAX(%rsp), %rax
	movq TF_RDX(%rsp), %rdx
	movq TF_RSI(%rsp), %rsi
	movq TF_RDI(%rsp), %rdi
	incq %gs:CPU_CALLS + 8 * HYPERVISOR_iret
	addq $TF_RSI, %rsp
	movq %rax, (%rsp)
	movq $VGCF_in_syscall, TF_ERR - TF_RSI(%rsp)
	movl $HYPERVISOR_iret, %eax
	syscall
	ud2
	.size entry_syscall, . - entry_syscall

/* A 32-bit program's `syscall`: there are none, so it is an invalid instruction. */
	.globl entry_syscall32
	.type entry_syscall32, @function
entry_syscall32:
	popq %rcx
	popq %r11
	pushq $0
	pushq $6
	jmp trap_common
	.size entry_syscall32, . - entry_syscall32

/*
 * Xen could not load a segment register while entering the guest. It passes ds es fs gs between
 * r11 and the frame. Our segment registers are all 0 and a program that loads nonsense faults by
 * itself, so this comes only from a damaged state: say so.
 */
	.globl entry_failsafe
	.type entry_failsafe, @function
entry_failsafe:
	popq %rcx
	popq %r11
	addq $32, %rsp
	pushq $0
	pushq $13
	PUSH_REGS
	cld
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call pv_failsafe
	jmp pv_trap_return
	.size entry_failsafe, . - entry_failsafe
