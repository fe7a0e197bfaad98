/* SPDX-License-Identifier: MIT */
#ifndef ARCH_SELFTEST_H
#define ARCH_SELFTEST_H

#include <machine.h>

typedef void (*report_fn)(const char *facility, bool ok, const char *detail);

/* If not 0, the next trap goes on there, and says which one it was. */
extern unsigned long trap_test_resume;
extern unsigned trap_test_vector;

/* An exception, its frame complete: counted and traced. True: the self-test waited for it, and goes
 * on where it said. */
static inline bool trap_counted(struct trapframe *tf)
{
	struct cpu *c = this_cpu();

	c->traps[tf->vector & 31]++;
	c->counters[CNT_traps]++;
	trace(trap, tf->vector, tf->rip, tf->cr2);
	if (likely(!trap_test_resume))
		return false;
	tf->rip = trap_test_resume;
	trap_test_resume = 0;
	trap_test_vector = tf->vector;
	return true;
}

/* Try a store of a byte that changes nothing. Returns the trap's vector, or 0. */
unsigned selftest_write(volatile char *p);
/* Traps arrive; text and constants cannot be written, data not be run, the holes are holes. */
void selftest_traps(report_fn report);

#endif
