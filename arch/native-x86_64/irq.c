/* SPDX-License-Identifier: MIT */
/*
 * The interrupt flag, bit 9 of the flags register: `cli` and `sti` change it, `pushf` reads it. The
 * processor looks at it between any two instructions; an interrupt that comes while it is clear
 * stays in the local APIC until it is set. Under PV the flag is a byte in memory
 * (arch/pv-x86_64/irq.c).
 *
 * `sti` takes effect after the instruction that follows it, so that between `sti` and `hlt` no
 * interrupt can come whose handler wakes a thread while we go to sleep all the same.
 */
#include "native.h"

void native_irq_disable(void)
{
	count(irq_flag);
	__asm__ volatile("cli" ::: "memory");
}

void native_irq_enable(void)
{
	count(irq_flag);
	__asm__ volatile("sti" ::: "memory");
}

bool native_irq_enabled(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
	return flags & RFLAGS_IF;
}

void native_idle(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}
