/* SPDX-License-Identifier: MIT */
/*
 * pid_t vfork(void)
 *
 * The child runs on the parent's stack and writes over what the parent's return address lay in. So
 * it is kept in a register, which the kernel gives back to each of the two as it was.
 */
#include <parvix/syscall.h>

	.section .text.vfork, "ax", @progbits
	.globl vfork
	.type vfork, @function
vfork:
	popq %rdx
	xorl %edi, %edi
	movl $SYS_VFORK_NR, %eax
	syscall
	pushq %rdx
	cmpq $-4095, %rax
	jae __parvix_error
	ret
	.size vfork, . - vfork
	.section .note.GNU-stack, "", @progbits
