/* SPDX-License-Identifier: MIT */
/*
 * The trace ring. Each CPU writes its own ring, so a record takes no lock: it reserves a place by
 * moving trace_next, with interrupts as they are; an interrupt in between takes the next place.
 * What is read while a CPU writes may hold a half-written record: a reader of a trace can live with
 * that.
 *
 * A time stamp is one instruction natively. In a domain whose time stamp counter Xen emulates it is
 * a trap of 1200 instructions, so there (trace_stamps_dear) a record carries the newest stamp
 * known, which the rarer kinds of record renew.
 */
#include <machine.h>
#include <parvix/syscall.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <trace.h>

static const char *const kind_names[] = {
#define X(name, a, b, c) #name,
	TRACE_KINDS(X)
#undef X
};

static const char *const arg_names[][3] = {
#define X(name, a, b, c) {a, b, c},
	TRACE_KINDS(X)
#undef X
};

volatile unsigned trace_syscalls;
bool trace_stamps_dear;

static uint64_t stamp(enum trace_kind kind)
{
	static uint64_t last;

	if (!trace_stamps_dear || kind == TR_boot || kind == TR_switch || kind == TR_refused)
		last = rdtsc_now();
	return last;
}

void trace_record(enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c)
{
	struct cpu *cpu = this_cpu();
	struct thread *t = current;
	struct trace_record *r;

	if (unlikely(panicking)) /* what led to it is to be read, not the reading */
		return;
	r = &cpu->trace_ring[cpu->trace_next++ % TRACE_RING];
	r->tsc = stamp(kind);
	r->kind = kind;
	r->pid = t && t->proc ? t->proc->pid : 0;
	r->arg[0] = a;
	r->arg[1] = b;
	r->arg[2] = c;
}

static bool is_address(const char *arg)
{
	return !strcmp(arg, "ip") || !strcmp(arg, "caller");
}

/* What number @nr of a call or system call is called, or NULL. */
static const char *call_name(unsigned kind, uint64_t nr)
{
	static const char *const syscalls[] = {
#define X(number, name, args) [number] = #name,
		PARVIX_SYSCALLS(X)
#undef X
	};

	if (kind == TR_syscall)
		return nr < ARRAY_SIZE(syscalls) ? syscalls[nr] : NULL;
	if (kind != TR_call || !machine || !machine->call_names)
		return NULL;
	for (uint64_t i = 0; machine->call_names[i]; i++)
		if (i == nr)
			return machine->call_names[i][0] ? machine->call_names[i] : NULL;
	return NULL;
}

static size_t format_arg(const char *arg, uint64_t v, char *buf, size_t size)
{
	char name[64];

	if (is_address(arg) && v >= KERNEL_BASE) {
		symbol_name(v, name, sizeof(name));
		return snprintk(buf, size, " %s=%s", arg, name);
	}
	if (v < 1000000)
		return snprintk(buf, size, " %s=%lu", arg, v);
	if (v > -4096ul)
		return snprintk(buf, size, " %s=%ld", arg, (long)v);
	return snprintk(buf, size, " %s=%#lx", arg, v);
}

/* One line of text for @r. Returns its length. */
static size_t format_record(const struct trace_record *r, uint64_t start, unsigned cpu, char *buf,
			    size_t size)
{
	const char *name;
	size_t n;

	if (r->kind >= TR_count)
		return 0;
	n = snprintk(buf, size, "%12lu cpu%u pid%-4d %-8s", r->tsc - start, cpu, r->pid,
		     kind_names[r->kind]);
	name = call_name(r->kind, r->arg[0]);
	if (name)
		n += snprintk(buf + n, size - n, " %s", name);
	for (int i = name ? 1 : 0; i < 3; i++)
		if (arg_names[r->kind][i][0] != '-')
			n += format_arg(arg_names[r->kind][i], r->arg[i], buf + n, size - n);
	n += snprintk(buf + n, size - n, "\n");
	return n;
}

void trace_print_tail(uint64_t end, unsigned n)
{
	struct cpu *c = this_cpu();
	uint64_t i = end > n ? end - n : 0;
	char line[200];

	printk("last %lu trace records of CPU %u (ticks since start):\n", end - i, c->id);
	for (; i < end; i++) {
		format_record(&c->trace_ring[i % TRACE_RING], boot_info.entry_tsc, c->id, line,
			      sizeof(line));
		printk("%s", line);
	}
}

/*
 * Positions are record numbers, with the CPU in the upper 16 bits: one ring after the other. A ring
 * that is overtaken while it is read goes on with its oldest record.
 */
size_t trace_format(uint64_t *pos, char *buf, size_t size)
{
	unsigned cpu = *pos >> 48;
	uint64_t i = *pos & 0xffffffffffffull;
	size_t n = 0;
	char line[200];

	while (cpu < nr_cpus) {
		struct cpu *c = &cpus[cpu];
		uint64_t end = READ_ONCE(c->trace_next);

		if (end > TRACE_RING && i < end - TRACE_RING)
			i = end - TRACE_RING;
		if (i >= end) {
			cpu++;
			i = 0;
			continue;
		}
		size_t len = format_record(&c->trace_ring[i % TRACE_RING], boot_info.entry_tsc, cpu,
					   line, sizeof(line));

		if (n + len > size)
			break;
		memcpy(buf + n, line, len);
		n += len;
		i++;
	}
	*pos = (uint64_t)cpu << 48 | i;
	return n;
}
