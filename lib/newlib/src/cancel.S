/* SPDX-License-Identifier: MIT */
/*
 * Points of cancellation.
 *
 * A call that may wait has to be given up when its thread is cancelled, but not when it has already
 * had an effect: a descriptor that open() has made must not be lost. So there is a look at the
 * thread's word, then the system call; a signal that comes between the two would be too early for
 * the one and too late for the other. Its handler (cancel.c) therefore looks where it has
 * interrupted: between `begin` and `end` the call has not been made, or the kernel has put the
 * thread back to before it, and it goes to `act` instead. At `end` the call has been made; if it
 * was interrupted (EINTR), nothing has happened and the thread can go too.
 *
 * As long as the process has no threads, none of this is looked at.
 */
#include <parvix/errno.h>

#define CANCEL_WORD %fs:8

	.section .text.__parvix_cancel, "ax", @progbits
/* From a stub: number in %rax, arguments in their registers, the fourth in %r10. Result in %rax. */
	.type	cancellable, @function
cancellable:
	cmpl	$0, __parvix_threads(%rip)
	je	1f
	.globl	__parvix_cancel_begin
__parvix_cancel_begin:
	movl	CANCEL_WORD, %r11d
	andl	$11, %r11d	/* wanted, not switched off, not on its way */
	cmpl	$1, %r11d
	je	__parvix_cancel_act
	syscall
	.globl	__parvix_cancel_end
__parvix_cancel_end:
	cmpq	$-EINTR, %rax
	je	2f
	ret
1:	syscall
	ret
2:	movl	CANCEL_WORD, %r11d
	andl	$11, %r11d
	cmpl	$1, %r11d
	je	__parvix_cancel_act
	ret
	.globl	__parvix_cancel_act
__parvix_cancel_act:
	andq	$-16, %rsp
	call	__parvix_cancel_self
	.size	cancellable, . - cancellable

/* What stub.c makes of the calls that are such points: errno and -1. */
	.globl	__parvix_cancel_stub
	.type	__parvix_cancel_stub, @function
__parvix_cancel_stub:
	call	cancellable
	cmpq	$-4095, %rax
	jae	__parvix_error
	ret
	.size	__parvix_cancel_stub, . - __parvix_cancel_stub

/* long __parvix_cancel_sys(long nr, long a, long b, long c, long d, long e): -errno and all. */
	.globl	__parvix_cancel_sys
	.type	__parvix_cancel_sys, @function
__parvix_cancel_sys:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	xorl	%r9d, %r9d
	jmp	cancellable
	.size	__parvix_cancel_sys, . - __parvix_cancel_sys
	.section .note.GNU-stack, "", @progbits
