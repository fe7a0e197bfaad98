/* SPDX-License-Identifier: MIT */
/* Signals counted, CPU time used and told, for the tests of timers and of clocks. */
#ifndef TESTS_USER_CPUTIME_H
#define TESTS_USER_CPUTIME_H

#include "guest.h"

#define MS 1000000LL

static volatile sig_atomic_t fired __attribute__((unused));

static inline bool wait_fired(int n, long ms)
{
	long long end = now_ns() + ms * MS;

	while (fired < n && now_ns() < end)
		sleep_ms(2);
	return fired >= n;
}

static inline long long cpu_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return -1;
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Use CPU time until the process's clock has gone on by @ms. */
static inline void burn(long ms)
{
	long long end = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) + ms * MS;

	while (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 20000; i++)
			;
}

#endif
