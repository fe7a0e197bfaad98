/* SPDX-License-Identifier: MIT */
/*
 * Switching threads: the same in every world, because a thread that gives up the CPU does so by
 * calling a function. The compiler keeps no value in a caller-saved register across the call, so
 * six registers, the stack pointer and the return address on the stack are all there is to a
 * thread inside the kernel. What the machine must know besides (page tables, stack for the next
 * entry from user mode, FS base) has been told by machine->switch_to() just before.
 */
#include "asm-offsets.h"

	.text

/* void context_switch(unsigned long *save_rsp, unsigned long load_rsp); struct switchframe */
	.globl context_switch
	.type context_switch, @function
context_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size context_switch, . - context_switch

/*
 * Where a new thread comes from its first switch: calls the function in %r12 with %r13 as argument.
 * Above lies its trapframe: the machine leaves by it, to user mode for a process.
 */
	.globl thread_start
	.type thread_start, @function
thread_start:
	movq %r13, %rdi
	xorl %ebp, %ebp
	call *%r12
	movq machine(%rip), %rax
	jmp *MACHINE_TRAP_RETURN(%rax)
	.size thread_start, . - thread_start
