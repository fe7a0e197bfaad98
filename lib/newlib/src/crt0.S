/* SPDX-License-Identifier: MIT */
/*
 * The first instruction of every program. The kernel enters with the System V layout on the stack
 * (%rsp -> argc, argv[], 0, envp[], 0, auxiliary vector), %rsp 16-aligned, %rdx = 0 and nothing else
 * promised. C wants the address of that layout as an argument and an aligned stack with a return
 * address of 0 on top, so that a debugger's backtrace ends here.
 */
	.section .text.start, "ax", @progbits
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	andq	$-16, %rsp
	pushq	%rbp
	jmp	__parvix_start
	.size	_start, . - _start
	.section .note.GNU-stack, "", @progbits
