/* SPDX-License-Identifier: MIT */
/* The boot record in memory: written by record.c, made text by record_text.c. */
#ifndef TRACE_ROOM_RECORD_H
#define TRACE_ROOM_RECORD_H

#include <record.h>

#define RECORD_PHASES 32
#define RECORD_OPS 96
#define RECORD_NAME 24

struct record {
	uint64_t at;   /* phases: time stamp; operations: when it began, by the clock (ns) */
	uint64_t took; /* operations: ns */
	pid_t pid, child;
	uint16_t len; /* of delta[] */
	uint8_t kind; /* enum record_kind */
	uint8_t cpu;
	bool cut; /* not all could be kept */
	char name[RECORD_NAME];
	uint8_t delta[256 - 16 - 8 - 5 - RECORD_NAME];
};
_Static_assert(sizeof(struct record) == 256, "no holes");

struct records {
	struct record phase[RECORD_PHASES], op[RECORD_OPS];
	unsigned nr_phases;
	uint64_t nr_ops;    /* so many there were; the last RECORD_OPS are kept */
	int64_t clock_zero; /* when the clock was 0, in ns from the first instruction on */
};
extern struct records records;

/* Ticks of the time stamp counter as nanoseconds; 0 while nobody knows. */
uint64_t record_ns(uint64_t ticks);
/* A copy of phase or operation *@number, counted from 0; if it is overwritten, of the oldest there
 * is, and *@number is its. False: there is none. */
bool record_get(uint64_t *number, bool phase, struct record *out);
/* Source and number of member @i of the class events; NULL: not in use. */
const char *tally_event_name(unsigned i, unsigned *number);

#endif
