/* SPDX-License-Identifier: MIT */
/* Where every stub goes with -errno in %rax, still on the stack of the stub's caller. */
#include <errno.h>

long __parvix_set_errno(long err);
long __parvix_set_errno(long err)
{
	errno = (int)-err;
	return -1;
}

__asm__(".section .text.__parvix_error, \"ax\", @progbits\n"
	".globl __parvix_error\n"
	".type __parvix_error, @function\n"
	"__parvix_error:\n"
	"	movq %rax, %rdi\n"
	"	jmp __parvix_set_errno\n"
	".size __parvix_error, . - __parvix_error\n"
	".text\n");
