/* SPDX-License-Identifier: MIT */
/*
 * One system call as a C function of the same arguments. The file is compiled once per entry of
 * calls.list, with -DNAME (the function), -DCALL (its SYS_ number): each becomes an object of its
 * own in libc.a, so a program contains only the calls it makes and may define the other names
 * itself.
 *
 * C passes the fourth argument in %rcx, which the syscall instruction overwrites with the return
 * address; the kernel takes it in %r10. The other five are in the right registers already.
 *
 * A call that may wait is marked in the list, -DPOINT: it is made by cancel.S, as a thread may be
 * cancelled there.
 */
#include <parvix/syscall.h>

void NAME(void);
__attribute__((naked)) void NAME(void)
{
	__asm__ volatile("movl %0, %%eax\n\t"
			 "movq %%rcx, %%r10\n\t"
#ifdef POINT
			 "jmp __parvix_cancel_stub"
#else
			 "syscall\n\t"
			 "cmpq $-4095, %%rax\n\t"
			 "jae __parvix_error\n\t"
			 "ret"
#endif
			 :
			 : "i"(CALL));
}
