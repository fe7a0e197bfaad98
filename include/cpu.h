/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU data, found through %gs:0 in kernel mode (natively by swapgs; under PV Xen swaps the two
 * GS bases when it switches between guest kernel and guest user).
 */
#ifndef CPU_H
#define CPU_H

#include <list.h>
#include <trace.h>
#include <types.h>

#define MAX_CPUS 16
#define TRACE_RING 1024

struct thread;
struct mmu;

#define WORK_RESCHED 1u /* give the CPU to somebody else */
#define WORK_SIGNAL 2u  /* the current thread has a signal to look at */

struct cpu {
	struct cpu *self; /* %gs:0 */
	unsigned long
		kstack_top; /* %gs:8, native system-call entry: top of the current thread's stack */
	unsigned long user_rsp; /* %gs:16, scratch of native system-call entry */
	struct thread *thread;  /* %gs:24: what `current` reads */
	volatile unsigned
		work; /* %gs:32: WORK_* bits; entry.S calls user_return_work() only if not 0 */
	unsigned id;
	unsigned irq_depth; /* spin_lock nesting: interrupts are off while > 0 */
	bool irq_were_on;   /* state to return to when irq_depth drops to 0 */
	bool in_irq;
	struct thread *idle;
	struct mmu *mmu; /* whose tables are loaded */
	void *arch;      /* the machine's own per-CPU data; PV: struct vcpu_info */
	union {          /* what is counted; calls are by number */
		struct tallies tallies;
		struct {
#define X(name, n, text) uint64_t name[n];
			TALLY_CLASSES(X)
#undef X
		};
	};
	uint64_t call_errors;
	struct list runq;
	unsigned nr_running;
	uint64_t idle_since; /* time stamp; 0: not waiting, or stamps are dear */
	uint64_t trace_next;
	struct trace_record trace_ring[TRACE_RING];
};

extern struct cpu cpus[MAX_CPUS];
extern unsigned nr_cpus;

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

static inline struct thread *current_thread(void)
{
	struct thread *t;

	__asm__ volatile("movq %%gs:24, %0" : "=r"(t));
	return t;
}
#define current current_thread()

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
