/* SPDX-License-Identifier: MIT */
/*
 * sigsetjmp: setjmp, with the signal mask kept behind the registers if asked to. It must end as a
 * jump, not a call: setjmp remembers the return address on top of the stack, which has to be that of
 * sigsetjmp's own caller.
 *
 * sigjmp_buf: 8 words of jmp_buf, the flag, the mask (machine/setjmp.h).
 */
#define FLAG 64
#define MASK 72

	.text
	.globl	_setjmp, sigsetjmp
	.type	_setjmp, @function
	.type	sigsetjmp, @function
sigsetjmp:
	movslq	%esi, %rsi
	movq	%rsi, FLAG(%rdi)
	testq	%rsi, %rsi
	jz	_setjmp
	pushq	%rdi
	leaq	MASK(%rdi), %rdx
	xorl	%esi, %esi		/* no new set: only the old one is wanted */
	xorl	%edi, %edi
	call	sigprocmask
	popq	%rdi
_setjmp:
	jmp	setjmp
	.size	sigsetjmp, . - sigsetjmp

	.globl	_longjmp, siglongjmp
	.type	_longjmp, @function
	.type	siglongjmp, @function
siglongjmp:
	cmpq	$0, FLAG(%rdi)
	je	_longjmp
	pushq	%rdi
	pushq	%rsi
	pushq	%rax			/* keeps the stack aligned for the call */
	leaq	MASK(%rdi), %rsi
	xorl	%edx, %edx
	xorl	%edi, %edi		/* SIG_SETMASK */
	call	sigprocmask
	popq	%rax
	popq	%rsi
	popq	%rdi
_longjmp:
	jmp	longjmp
	.size	siglongjmp, . - siglongjmp
	.section .note.GNU-stack, "", @progbits
