/* SPDX-License-Identifier: MIT */
/* Counters: each CPU counts for itself, a reader adds up. Incremented by count() of <trace.h>. */
#include "record.h"
#include <cpu.h>
#include <lock.h>
#include <string.h>
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

/* Sources of events. Those of a device that comes and goes are the same source each time. */
static struct {
	char name[28];
	unsigned number;
} sources[TALLY_EVENTS] = {{.name = "others"}};
static unsigned nr_sources = 1;
static spinlock_t sources_lock = SPINLOCK("event names");

_Static_assert(TALLIES <= 256, "the index of a difference is a byte");

unsigned tally_event(const char *name, unsigned number)
{
	char cut[sizeof(sources[0].name)];
	unsigned i = 1;

	strlcpy(cut, name, sizeof(cut));
	spin_lock(&sources_lock);
	while (i < nr_sources && strcmp(sources[i].name, cut) != 0)
		i++;
	if (i == nr_sources && i < TALLY_EVENTS) {
		strlcpy(sources[i].name, cut, sizeof(cut));
		nr_sources++;
	}
	if (i < TALLY_EVENTS)
		sources[i].number = number;
	spin_unlock(&sources_lock);
	return i < TALLY_EVENTS ? i : 0;
}

const char *tally_event_name(unsigned i, unsigned *number)
{
	*number = sources[i].number;
	return i < nr_sources ? sources[i].name : NULL;
}

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
