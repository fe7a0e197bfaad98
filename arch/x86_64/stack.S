/* SPDX-License-Identifier: MIT */
/*
 * The stack of the first instructions. The idle thread of CPU 0 goes on using it. The page below it is
 * left unmapped (mmu_boot.c), so that an overflow is a fault and not a wrong value somewhere.
 */
	.section .bss.page, "aw", @nobits
	.balign 4096
	.globl boot_stack_guard
boot_stack_guard:
	.skip 4096
	.skip 16384
	.globl boot_stack_top
boot_stack_top:
	.size boot_stack_guard, . - boot_stack_guard
