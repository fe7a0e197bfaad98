/* SPDX-License-Identifier: MIT */
#ifndef ARCH_SELFTEST_H
#define ARCH_SELFTEST_H

#include <machine.h>

typedef void (*report_fn)(const char *facility, bool ok, const char *detail);

/* If not 0, the next trap goes on there, and says which one it was. */
extern unsigned long trap_test_resume;
extern unsigned trap_test_vector;

/* Try a store of a byte that changes nothing. Returns the trap's vector, or 0. */
unsigned selftest_write(volatile char *p);
/* Traps arrive; text and constants cannot be written, data not be run, the holes are holes. */
void selftest_traps(report_fn report);

#endif
