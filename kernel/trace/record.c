/* SPDX-License-Identifier: MIT */
/*
 * The boot record: how long a boot takes, which part of it, and what that part did.
 *
 * Everything a CPU counts is one flat array (struct tallies). A mark looks at the arrays of all
 * CPUs and keeps what has changed since the mark before, packed (delta.c): so the differences of
 * all phases add up to the totals of /proc/hypercalls and /proc/counters. A fork, exec or exit
 * copies the array of its CPU when it begins and keeps what has changed when it ends: two passes
 * over 160 numbers, some 1000 instructions.
 *
 *   phases      the first 32 marks, kept for ever
 *   operations  the last 96 forks, execs and exits: a ring
 *
 * A record is 256 bytes, so all of it is 32 KiB. Labels of marks are the same in every world, so
 * that two boots can be laid side by side.
 *
 * Time: a mark has a time stamp, since there is no clock at first; how many ticks a second has, the
 * machine says later (boot_info.tsc_khz), and then all stamps become nanoseconds, the first too. An
 * operation has the clock's time, which its accounting has read anyway: where reading the time
 * stamp traps into the hypervisor, a second reading would cost more than all of the rest.
 *
 * The lock is a leaf. Until `machine` is set there is no lock, one CPU, and no interrupt.
 */
#include "record.h"
#include <lock.h>
#include <machine.h>
#include <mm.h>
#include <proc.h>
#include <string.h>

struct record_op {
	ktime_t start;
	struct cpu *cpu;
	struct tallies before;
};

struct records records;

static struct tallies last; /* at the newest mark */
static spinlock_t lock = SPINLOCK("record");

static uint64_t *flat(struct tallies *t)
{
	return (uint64_t *)t;
}

static void sum_up(struct tallies *out)
{
	*out = cpus[0].tallies;
	for (unsigned c = 1; c < nr_cpus; c++)
		for (unsigned i = 0; i < TALLIES; i++)
			flat(out)[i] += flat(&cpus[c].tallies)[i];
}

static void add_mark(const char *name)
{
	static struct tallies now;
	struct record *r = &records.phase[records.nr_phases];

	if (records.nr_phases == RECORD_PHASES)
		return;
	trace(boot, records.nr_phases, 0, 0);
	strlcpy(r->name, name, sizeof(r->name));
	r->kind = RECORD_PHASE;
	r->cpu = this_cpu()->id;
	if (records.nr_phases == 0) {
		r->at = boot_info.entry_tsc;
	} else {
		r->at = rdtsc_now();
		sum_up(&now);
		r->len = delta_pack(flat(&last), flat(&now), TALLIES, r->delta, sizeof(r->delta),
				    &r->cut);
	}
	records.nr_phases++;
}

void boot_mark(const char *name)
{
	if (machine)
		spin_lock(&lock);
	add_mark(name);
	if (machine)
		spin_unlock(&lock);
}

int record_mark_command(const char *word)
{
	char name[RECORD_NAME];
	size_t n = 0;

	while (n < sizeof(name) - 1 && word[n] > ' ' && word[n] < 127) {
		name[n] = word[n];
		n++;
	}
	if (n == 0)
		return -EINVAL;
	name[n] = 0;
	boot_mark(name);
	return 0;
}

uint64_t record_ns(uint64_t ticks)
{
	uint64_t khz = boot_info.tsc_khz;

	return khz ? ticks / khz * 1000000 + ticks % khz * 1000000 / khz : 0;
}

void record_init(void)
{
	records.clock_zero = record_ns(rdtsc_now() - boot_info.entry_tsc) - clock_now();
}

struct record_op *record_begin(ktime_t now)
{
	struct record_op *op = kmalloc(sizeof(*op), 0);

	if (!op)
		return NULL;
	op->start = now;
	op->cpu = this_cpu();
	op->before = op->cpu->tallies;
	return op;
}

void record_drop(struct record_op *op)
{
	kfree(op);
}

void record_end(struct record_op *op, ktime_t now, enum record_kind kind, pid_t pid, pid_t child,
		const char *name)
{
	struct record *r;

	if (!op)
		return;
	spin_lock(&lock);
	r = &records.op[records.nr_ops++ % RECORD_OPS];
	r->at = op->start;
	r->took = now - op->start;
	r->kind = kind;
	r->cpu = this_cpu()->id;
	r->pid = pid;
	r->child = child;
	r->len = 0;
	r->cut = op->cpu != this_cpu(); /* it has moved: nothing can be said */
	strlcpy(r->name, name, sizeof(r->name));
	if (!r->cut)
		r->len = delta_pack(flat(&op->before), flat(&op->cpu->tallies), TALLIES, r->delta,
				    sizeof(r->delta), &r->cut);
	spin_unlock(&lock);
	kfree(op);
}

bool record_get(uint64_t *number, bool phase, struct record *out)
{
	bool there;

	spin_lock(&lock);
	if (!phase && *number + RECORD_OPS < records.nr_ops)
		*number = records.nr_ops - RECORD_OPS;
	there = *number < (phase ? records.nr_phases : records.nr_ops);
	if (there)
		*out = phase ? records.phase[*number] : records.op[*number % RECORD_OPS];
	spin_unlock(&lock);
	return there;
}
