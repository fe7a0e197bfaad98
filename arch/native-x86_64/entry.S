/* SPDX-License-Identifier: MIT */
/*
 * Into the kernel and out of it.
 *
 * An exception or interrupt: the processor finds the entry point in the IDT, takes the stack from
 * the TSS if it comes from ring 3, pushes ss rsp rflags cs rip and, for some vectors, an error
 * code. The interrupt flag is cleared on the way in (all our gates are interrupt gates). The way
 * back is `iretq`, which restores all five, the interrupt flag with them, in one instruction.
 *
 * A system call: `syscall` puts rip into rcx and rflags into r11, loads both segments from an MSR,
 * clears the flags that another MSR names, and jumps. That is all: it does not change the stack, so
 * the first instructions here run on the program's, with interrupts off, until they have found the
 * thread's own. `sysretq` is the way back: rip from rcx, rflags from r11.
 *
 * GS: in the kernel its base is the per-CPU data's. `swapgs` exchanges it with the program's, to be
 * executed once on each way in from ring 3 and out to it, and never else. For the entries that may
 * interrupt the kernel between an entry and its swapgs (NMI, double fault, machine check) cs does
 * not tell which base is loaded; they look at the base itself, which is in the upper half of
 * addresses if it is ours.
 *
 * Xen does all of this for a PV guest: compare arch/pv-x86_64/entry.S.
 */
#include "../x86_64/asm-offsets.h"
#include "../x86_64/push-regs.inc"

#define TRAP_SYSCALL 0x100
#define USER_SS 0x1b
#define USER_CS 0x23
#define MSR_GS_BASE 0xc0000101

/* All, vector and error code dropped: %rsp is what `iretq` wants. */
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
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $16, %rsp
.endm

	.section .entry.text, "ax"

/* One entry point for each of the 256 vectors, 16 bytes apart: trap.c computes their addresses. */
	.balign 16
	.globl native_entries
native_entries:
	.set vector, 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	.if vector == 2 || vector == 8 || vector == 18
	jmp entry_anywhere
	.else
	jmp entry_common
	.endif
	.set vector, vector + 1
	.endr
	.balign 16

	.type entry_common, @function
entry_common:
	PUSH_REGS
	cld
	testb $3, TF_CS(%rsp)
	jz 1f
	swapgs
1:	xorl %ebp, %ebp
	movq %rsp, %rdi
	call native_trap		/* trap.c */
	/* Fall through: */

/* Leave by the trapframe at %rsp. New threads come here too (thread_start). */
	.globl native_trap_return
	.type native_trap_return, @function
native_trap_return:
	cli
	testb $3, TF_CS(%rsp)
	jz leave
leave_to_user:
	cmpl $0, %gs:CPU_WORK
	jne work
	swapgs
leave:	LOAD_REGS
	iretq

work:	movq %rsp, %rdi
	call user_return_work
	jmp leave_to_user
	.size native_trap_return, . - native_trap_return

/* NMI, double fault, machine check: on a stack of their own, at any instruction. */
	.type entry_anywhere, @function
entry_anywhere:
	PUSH_REGS
	cld
	movl $MSR_GS_BASE, %ecx
	rdmsr
	xorl %ebx, %ebx
	testl %edx, %edx
	js 1f
	swapgs
	incl %ebx			/* C functions preserve it */
1:	xorl %ebp, %ebp
	movq %rsp, %rdi
	call native_trap
	testl %ebx, %ebx
	jz leave
	swapgs
	jmp leave
	.size entry_anywhere, . - entry_anywhere

/*
 * System calls: arguments in rdi rsi rdx r10 r8 r9, number in rax. The frame is made as if the
 * program had been interrupted behind the instruction.
 */
	.globl native_syscall_entry
	.type native_syscall_entry, @function
native_syscall_entry:
	swapgs
	movq %rsp, %gs:CPU_USER_RSP
	movq %gs:CPU_KSTACK_TOP, %rsp
	pushq $USER_SS
	pushq %gs:CPU_USER_RSP
	pushq %r11
	pushq $USER_CS
	pushq %rcx
	pushq %rax			/* err: the call's number */
	pushq $TRAP_SYSCALL
	PUSH_REGS
	sti
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call syscall_dispatch
	cli
	cmpl $0, %gs:CPU_WORK
	jne work
	cmpl $TRAP_SYSCALL, TF_VECTOR(%rsp)
	jne leave_to_user
	/* rbx and r12 to r15 are what they were: C functions preserve them. rcx and r11 are lost. */
	movq TF_RBP(%rsp), %rbp
	movq TF_R10(%rsp), %r10
	movq TF_R9(%rsp), %r9
	movq TF_R8(%rsp), %r8
	movq TF_RAX(%rsp), %rax
	movq TF_RDX(%rsp), %rdx
	movq TF_RSI(%rsp), %rsi
	movq TF_RDI(%rsp), %rdi
	movq TF_RIP(%rsp), %rcx
	movq TF_RFLAGS(%rsp), %r11
	movq TF_RSP(%rsp), %rsp
	swapgs
	sysretq
	.size native_syscall_entry, . - native_syscall_entry
