/* SPDX-License-Identifier: MIT */
/* long syscall(long number, ...): any system call with up to six arguments. */
	.text
	.globl	syscall
	.type	syscall, @function
syscall:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	cmpq	$-4095, %rax
	jae	__parvix_error
	ret
	.size	syscall, . - syscall
	.section .note.GNU-stack, "", @progbits
