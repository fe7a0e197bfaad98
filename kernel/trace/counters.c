/* SPDX-License-Identifier: MIT */
/* Counters: each CPU counts for itself, a reader adds up. Incremented by count() of <trace.h>. */
#include <cpu.h>
#include <trace.h>

static const char *const texts[] = {
#define X(name, text) text,
	COUNTERS(X)
#undef X
};

static const char *const names[] = {
#define X(name, text) #name,
	COUNTERS(X)
#undef X
};

uint64_t counter_read(enum counter c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		sum += cpus[i].counters[c];
	return sum;
}

const char *counter_text(enum counter c)
{
	return texts[c];
}

const char *counter_name(enum counter c)
{
	return names[c];
}
