/* SPDX-License-Identifier: MIT */
/*
 * The part of the start-of-day self-test that is the same in every world, because what is tried is
 * the processor's: instructions that must fault. `trap_test_resume` tells the first C function
 * after an exception (trap.c of the world) where to go on.
 */
#include <printk.h>
#include <pte.h>
#include "selftest.h"

unsigned long trap_test_resume;
unsigned trap_test_vector;

extern char _text[], _rodata[], boot_stack_guard[];

__attribute__((noinline)) unsigned selftest_write(volatile char *p)
{
	trap_test_vector = 0;
	__asm__ volatile("movq $1f, %0\n\t"
			 "movb (%1), %%al\n\t"
			 "movb %%al, (%1)\n"
			 "1:"
			 : "+m"(trap_test_resume)
			 : "r"(p)
			 : "rax", "memory");
	trap_test_resume = 0;
	return trap_test_vector;
}

static __attribute__((noinline)) unsigned try_jump(void *p)
{
	unsigned long sp;

	trap_test_vector = 0;
	__asm__ volatile("movq %%rsp, %1\n\t"
			 "movq $1f, %0\n\t"
			 "call *%2\n"
			 "1:\n\t"
			 "movq %1, %%rsp"
			 : "+m"(trap_test_resume), "=&r"(sp)
			 : "r"(p)
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
	trap_test_resume = 0;
	return trap_test_vector;
}

static unsigned try_int3(void)
{
	trap_test_vector = 0;
	__asm__ volatile("movq $1f, %0\n\t"
			 "int3\n"
			 "1:"
			 : "+m"(trap_test_resume)::"memory");
	trap_test_resume = 0;
	return trap_test_vector;
}

void selftest_traps(report_fn report)
{
	static char data_with_code[4] = {(char)0xc3};
	char text[80];

	report("traps", try_int3() == TRAP_BP, "");
	snprintk(text, sizeof(text), "write to text: vector %u, to constants: %u, run data: %u",
		 selftest_write(_text), selftest_write(_rodata), try_jump(data_with_code));
	report("kernel W^X",
	       selftest_write(_text) == TRAP_PF && selftest_write(_rodata) == TRAP_PF &&
		       try_jump(data_with_code) == TRAP_PF,
	       text);
	report("  the direct map's aliases",
	       selftest_write(pfn_va(PFN((_text - (char *)KERNEL_BASE) >> PAGE_SHIFT))) == TRAP_PF,
	       "");
	report("page 0 unmapped", selftest_write(NULL) == TRAP_PF, "");
	report("guard page below stack", selftest_write(boot_stack_guard) == TRAP_PF, "");
}
