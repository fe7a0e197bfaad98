/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts: the table of entry points, and the first C function after them.
 *
 * The interrupt descriptor table has 256 gates of 16 bytes: address, code segment, the lowest ring
 * that may use it by an `int` instruction (3 for int3 and into), and, for three vectors, a stack of
 * their own. `lidt` tells the processor where it is; it reads the gates from memory at each
 * exception. The faulting address of a page fault is in CR2 until the next one, so every gate is an
 * interrupt gate: the flag is clear until CR2 has been read.
 *
 * Under PV the table is a list that Xen copies (arch/pv-x86_64/trap.c), and every exception is
 * first Xen's.
 */
#include <printk.h>
#include <proc.h>
#include "../x86_64/selftest.h"
#include "native.h"

#define GATE_PRESENT 0x8e00u /* 64-bit interrupt gate */
#define GATE_RING3 0x6000u
#define ENTRY_SPAN 16 /* bytes between two entry points (entry.S) */

struct gate {
	uint16_t offset_low, selector, flags, offset_middle; /* flags: bits 0-2: stack */
	uint32_t offset_high, reserved;
};

_Static_assert(sizeof(struct gate) == 16, "interrupt gate, Intel SDM volume 3, 6.14");

extern char native_entries[];

static struct gate idt[256] __aligned(16);

static bool in_trap_early;

static void gate_set(unsigned vector, unsigned stack, unsigned flags)
{
	unsigned long entry = (unsigned long)native_entries + vector * ENTRY_SPAN;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)entry,
		.selector = KERNEL_CS,
		.flags = (uint16_t)(GATE_PRESENT | flags | stack),
		.offset_middle = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
	};
}

void native_trap_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed idtr = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned v = 0; v < 256; v++)
		gate_set(v, 0, v == TRAP_BP || v == TRAP_OF ? GATE_RING3 : 0);
	gate_set(TRAP_DF, 1, 0); /* stacks: cpu.c */
	gate_set(TRAP_NMI, 2, 0);
	gate_set(TRAP_MC, 3, 0);
	__asm__ volatile("lidt %0" ::"m"(idtr));
}

static void early_trap(const struct trapframe *tf)
{
	native_early_print_hex("exception, vector ", tf->vector);
	native_early_print_hex("  error code ", tf->err);
	native_early_print_hex("  at address ", tf->rip);
	native_early_print_hex("  touching   ", tf->cr2);
	native_early_print_hex("  stack      ", tf->rsp);
	native_early_die("an exception before there is a handler (see build/parvix.sym)");
}

static void nmi(struct trapframe *tf)
{
	struct cpu *c = this_cpu();
	unsigned depth = c->irq_depth;
	bool were_on = c->irq_were_on;

	tf->cr2 = 0;
	c->counters[CNT_nmis]++;
	if (!machine)
		return;
	/* It may come while locks are half taken: arch/pv-x86_64/nmi.c. */
	c->irq_depth = depth + 1;
	trace(trap, tf->vector, tf->rip, 0);
	if (depth == 0 || !printk_busy())
		nmi_interrupt(tf);
	c->irq_depth = depth;
	c->irq_were_on = were_on;
}

void (*native_nmi)(struct trapframe *tf) = nmi;

static void interrupt(unsigned vector)
{
	struct cpu *c = this_cpu();
	bool nested = c->in_irq;

	sched_idle_over();
	c->in_irq = true;
	irq_dispatch(vector);
	c->in_irq = nested;
}

/* From entry.S, interrupts off. */
void native_trap(struct trapframe *tf)
{
	if (tf->vector >= VECTOR_FIRST) {
		interrupt(tf->vector);
		return;
	}
	if (unlikely(tf->vector == TRAP_NMI)) {
		native_nmi(tf);
		return;
	}
	tf->cr2 = 0;
	if (tf->vector == TRAP_PF)
		__asm__ volatile("movq %%cr2, %0" : "=r"(tf->cr2));
	if (unlikely(trap_counted(tf)))
		return;
	if (unlikely(!machine)) {
		if (in_trap_early)
			native_early_die("an exception while reporting an exception");
		in_trap_early = true;
		early_trap(tf);
	}
	if (tf->rflags & RFLAGS_IF)
		native_irq_enable();
	trap_dispatch(tf);
}
