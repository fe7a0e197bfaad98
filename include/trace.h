/* SPDX-License-Identifier: MIT */
/*
 * The trace ring and the counters: on from the first instruction, cheap enough to stay on.
 *
 * Each CPU has a ring of fixed-size records (time stamp, kind, up to three arguments), overwritten
 * when full; a panic prints the tail, /proc/trace all of it. Counters count what costs: calls to
 * the hypervisor by kind, traps by vector, events by port, context switches, page-table writes ...
 */
#ifndef TRACE_H
#define TRACE_H

#include <types.h>

/* X(name, text for the three arguments, "-" where unused) */
#define TRACE_KINDS(X)                                                                      \
	X(boot, "phase", "-", "-")                                                          \
	X(call, "nr", "arg", "result") /* a call into the hypervisor */                     \
	X(trap, "vector", "ip", "addr")                                                     \
	X(event, "port", "-", "-")                                                          \
	X(syscall, "nr", "arg", "result")                                                   \
	X(switch, "from", "to", "-")                                                        \
	X(fork, "parent", "child", "-")                                                     \
	X(exec, "pid", "entry", "-")                                                        \
	X(exit, "pid", "status", "-")                                                       \
	X(signal, "pid", "sig", "ip")                                                       \
	X(fault, "addr", "error", "kind")                                                   \
	X(pin, "top", "tables", "unpin")                                                    \
	X(batch, "updates", "flush", "caller") /* a batch of page-table updates was sent */ \
	X(timer, "deadline", "-", "-")                                                      \
	X(dev, "device", "state", "-")                                                      \
	X(refused, "call", "index", "caller") /* the hypervisor refused an update */        \
	X(oom, "pid", "pages", "-")

enum trace_kind {
#define X(name, a, b, c) TR_##name,
	TRACE_KINDS(X)
#undef X
		TR_count
};

struct trace_record {
	uint64_t tsc;
	uint32_t kind;
	int32_t pid;
	uint64_t arg[3];
};

void trace_record(enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c);
#define trace(name, a, b, c) trace_record(TR_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c))

/* Print the @n records of this CPU before number @end to the console (panic, NMI). */
void trace_print_tail(uint64_t end, unsigned n);
/* Format records as text for /proc/trace into @buf from record number *@pos on; returns bytes, 0 at
 * the end. */
size_t trace_format(uint64_t *pos, char *buf, size_t size);

/* System calls are traced only if asked for (kernel argument `trace-syscalls`, or writing to
 * /proc/trace). */
extern volatile unsigned trace_syscalls;
#define TRACE_SYSCALLS_RING 1u   /* into the ring */
#define TRACE_SYSCALLS_TRACER 2u /* for each open tracer: kernel/proc/tracer.c */
/* Set by the machine if reading the time stamp counter traps: most records then carry an older
 * stamp. */
extern bool trace_stamps_dear;

/* Counters, summed over CPUs when read. X(name, text) */
#define COUNTERS(X)                                                              \
	X(syscalls, "system calls")                                              \
	X(traps, "exceptions taken")                                             \
	X(faults, "page faults")                                                 \
	X(faults_cow, "copy-on-write faults that copied")                        \
	X(events, "events (interrupts) delivered")                               \
	X(nmis, "non-maskable interrupts")                                       \
	X(upcalls, "event upcalls")                                              \
	X(grants, "pages granted to other domains")                              \
	X(grants_aside, "grants set aside: still used by the peer at their end") \
	X(switches, "context switches")                                          \
	X(idles, "times idle")                                                   \
	X(idle_ticks, "time-stamp ticks waited while idle")                      \
	X(pte_stores, "page-table entries written by plain stores")              \
	X(pte_updates, "page-table entries written through the update queue")    \
	X(batches, "update batches sent")                                        \
	X(pins, "address spaces pinned")                                         \
	X(unpins, "address spaces unpinned")                                     \
	X(tlb_pages, "TLB entries flushed")                                      \
	X(tlb_full, "TLB flushes, whole")                                        \
	X(timer_sets, "timer deadlines set")                                     \
	X(forks, "forks")                                                        \
	X(execs, "execs")                                                        \
	X(pages_zeroed, "pages zeroed")                                          \
	X(pages_copied, "pages copied")                                          \
	X(frames_given, "page frames given back to the hypervisor")              \
	X(frames_taken, "page frames got from the hypervisor")                   \
	X(console_out, "console bytes written")                                  \
	X(console_in, "console bytes read")                                      \
	X(port_io, "port instructions")                                          \
	X(msr_io, "model-specific registers read or written")                    \
	X(irq_flag, "interrupt flag changes")                                    \
	X(store_out, "bytes of requests to xenstore")                            \
	X(store_in, "bytes of answers from xenstore")

enum counter {
#define X(name, text) CNT_##name,
	COUNTERS(X)
#undef X
		CNT_count
};

/*
 * What a CPU counts, all of it, is one flat array of numbers (struct cpu): classes behind one
 * another, each with names of its own. A difference of two states of it is what something has cost:
 * <record.h>.
 */
#define MAX_CALLS 48   /* kinds of hypervisor calls counted */
#define TALLY_TRAPS 32 /* exception vectors */
#define TALLY_SIZES 8  /* 1, 2, 3 to 4, 5 to 8 ... more than 64 */
#define TALLY_EVENTS 32

/* X(class, members, text) */
#define TALLY_CLASSES(X)                                                              \
	X(calls, MAX_CALLS, "calls to the hypervisor, by kind")                       \
	X(counters, CNT_count, "the counters above")                                  \
	X(traps, TALLY_TRAPS, "exceptions by vector")                                 \
	X(batches, TALLY_SIZES, "multicalls by number of calls in them")              \
	X(updates, TALLY_SIZES, "batches of page-table updates by number of updates") \
	X(events, TALLY_EVENTS, "interrupts (events) delivered, by name of the source")

struct tallies {
#define X(name, n, text) uint64_t name[n];
	TALLY_CLASSES(X)
#undef X
};
#define TALLIES (sizeof(struct tallies) / sizeof(uint64_t))

/* The member of a class of sizes for @n, at least 1. */
static inline unsigned tally_size(unsigned n)
{
	unsigned i = n > 1 ? 32 - __builtin_clz(n - 1) : 0;

	return i < TALLY_SIZES ? i : TALLY_SIZES - 1;
}

/* The member of the class events for the source @name (copied): the same for the same name; 0,
 * "others", if there are too many. @number: port or vector, for the reader. Any context. */
unsigned tally_event(const char *name, unsigned number);

/* count(faults): add one to this CPU's counter. */
#define count(name) (this_cpu()->counters[CNT_##name]++)
#define count_add(name, n) (this_cpu()->counters[CNT_##name] += (n))
uint64_t counter_read(enum counter c);
const char *counter_text(enum counter c);
const char *counter_name(enum counter c);

#endif
