/* SPDX-License-Identifier: MIT */
/*
 * System-wide files of /proc. The formats are in docs/proc.md.
 *
 * Reading the counters does not move them more than any read does: no hypercall, no device, one
 * copy.
 */
#include "procfs.h"

#include <machine.h>
#include <printk.h>
#include <record.h>
#include <string.h>
#include <trace.h>
#include <version.h>

static unsigned long kib(unsigned long pages)
{
	return pages * (PAGE_SIZE / 1024);
}

static int make_processes(struct text *t, pid_t pid)
{
	(void)pid;
	return procfs_make_processes(t);
}

static int make_meminfo(struct text *t, pid_t pid)
{
	unsigned long available = pages_free() + pcache_pages();

	(void)pid;
	text_printf(t, "MemTotal:     %9lu kB\nMemFree:      %9lu kB\nMemAvailable: %9lu kB\n",
		    kib(pages_total()), kib(pages_free()), kib(available));
	text_printf(t, "Cached:       %9lu kB\nSlab:         %9lu kB\n", kib(pcache_pages()),
		    kmalloc_used() / 1024);
	return 0;
}

#define TICK (NSEC_PER_SEC / 100)

static ktime_t idle_time(void)
{
	ktime_t idle = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].idle)
			idle += cpus[i].idle->utime + cpus[i].idle->stime;
	return idle;
}

static int make_uptime(struct text *t, pid_t pid)
{
	ktime_t now = clock_now() / TICK, idle = idle_time() / TICK;

	(void)pid;
	text_printf(t, "%ld.%02ld %ld.%02ld\n", now / 100, now % 100, idle / 100, idle % 100);
	return 0;
}

static int make_loadavg(struct text *t, pid_t pid)
{
	unsigned long loads[3];
	unsigned ready = 0;
	ktime_t newest = -1;
	pid_t last = 0;
	struct proc *p;

	(void)pid;
	sched_loads(loads);
	for (unsigned i = 0; i < nr_cpus; i++)
		ready += cpus[i].nr_running;
	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all) {
		if (p->start > newest) {
			newest = p->start;
			last = p->pid;
		}
	}
	spin_unlock(&proc_lock);
	for (int i = 0; i < 3; i++)
		text_printf(t, "%lu.%02lu ", loads[i] >> 16, (loads[i] & 0xffff) * 100 >> 16);
	text_printf(t, "%u/%u %d\n", ready, nr_procs, last);
	return 0;
}

/*
 * Linux's first lines: times in 1/100 s in user mode, nice, system mode, idle. Those of processes
 * that have ended are their parents', so that nobody's are forgotten but of those that nobody waits
 * for.
 */
static int make_system_stat(struct text *t, pid_t pid)
{
	ktime_t user = 0, system = 0, idle = idle_time(), utime, stime, cutime = 0, cstime = 0;
	unsigned running = 0;
	struct proc *p;

	(void)pid;
	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all) {
		proc_times(p, &utime, &stime);
		ktime_from_timeval(&p->child_usage.ru_utime, &cutime);
		ktime_from_timeval(&p->child_usage.ru_stime, &cstime);
		user += utime + cutime;
		system += stime + cstime;
	}
	spin_unlock(&proc_lock);
	for (unsigned i = 0; i < nr_cpus; i++)
		running += cpus[i].nr_running;
	text_printf(t, "cpu  %ld 0 %ld %ld 0 0 0 0 0 0\n", user / TICK, system / TICK, idle / TICK);
	text_printf(t, "ctxt %lu\nbtime %ld\nprocesses %lu\nprocs_running %u\n",
		    counter_read(CNT_switches), (clock_wall() - clock_now()) / NSEC_PER_SEC,
		    counter_read(CNT_forks), running + 1);
	return 0;
}

static int make_cpuinfo(struct text *t, pid_t pid)
{
	char vendor[16], name[52];
	unsigned family, model, stepping;

	(void)pid;
	cpu_identify(vendor, name, &family, &model, &stepping);
	for (unsigned i = 0; i < nr_cpus; i++)
		text_printf(t,
			    "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
			    "model name\t: %s\nstepping\t: %u\n\n",
			    i, vendor, family, model, name, stepping);
	return 0;
}

static int make_version(struct text *t, pid_t pid)
{
	(void)pid;
	text_printf(t, "Parvix %s (%s world, %s) x86_64\n", PARVIX_RELEASE, boot_info.world,
		    boot_info.hypervisor);
	return 0;
}

static int make_cmdline(struct text *t, pid_t pid)
{
	(void)pid;
	text_printf(t, "%s\n", boot_info.cmdline);
	return 0;
}

/* A describe function that fills a buffer: near its end the text may have been cut. */
static int made_by(struct text *t, size_t n)
{
	t->len = t->size - min(n, t->size) < 256 ? t->size : n;
	return 0;
}

int procfs_make_mounts(struct text *t, pid_t pid)
{
	(void)pid;
	return made_by(t, mounts_describe(t->buf, t->size));
}

static int make_filesystems(struct text *t, pid_t pid)
{
	(void)pid;
	return made_by(t, filesystems_describe(t->buf, t->size));
}

static int make_partitions(struct text *t, pid_t pid)
{
	(void)pid;
	return made_by(t, partitions_describe(t->buf, t->size));
}

static int make_diskstats(struct text *t, pid_t pid)
{
	(void)pid;
	return made_by(t, diskstats_describe(t->buf, t->size));
}

static int make_machine(struct text *t, pid_t pid)
{
	(void)pid;
	return machine->describe ? made_by(t, machine->describe(t->buf, t->size)) : 0;
}

static int make_devices(struct text *t, pid_t pid)
{
	struct char_device *cd;
	struct block_device *bd;

	(void)pid;
	for (unsigned i = 0; (cd = chrdev_nth(i)); i++)
		if (!cd->absent)
			text_printf(t, "c %lu %lu %s\n", cd->dev >> 20, cd->dev & 0xfffff,
				    cd->name);
	for (unsigned i = 0; (bd = block_nth(i)); i++) {
		text_printf(t, "b %lu %lu %s\n", bd->dev >> 20, bd->dev & 0xfffff, bd->name);
		block_put(bd);
	}
	return 0;
}

/* ---- what is counted ---- */

static uint64_t calls_of(unsigned nr)
{
	uint64_t sum = 0;

	for (unsigned c = 0; c < nr_cpus; c++)
		sum += READ_ONCE(cpus[c].calls[nr]);
	return sum;
}

static int make_hypercalls(struct text *t, pid_t pid)
{
	uint64_t total = 0, errors = 0;

	(void)pid;
	for (unsigned i = 0; machine->call_names && i < MAX_CALLS; i++) {
		uint64_t n = calls_of(i);

		if (!machine->call_names[i])
			break;
		if (n)
			text_printf(t, "%s %lu\n", machine->call_names[i], n);
		total += n;
	}
	for (unsigned c = 0; c < nr_cpus; c++)
		errors += READ_ONCE(cpus[c].call_errors);
	text_printf(t, "total %lu\nerrors %lu\n# %lu page-table updates in %lu batches\n", total,
		    errors, counter_read(CNT_pte_updates), counter_read(CNT_batches));
	return 0;
}

static int clear_hypercalls(const char *word)
{
	if (strcmp(word, "clear") != 0)
		return -EINVAL;
	for (unsigned c = 0; c < nr_cpus; c++) {
		memset(cpus[c].calls, 0, sizeof(cpus[c].calls));
		cpus[c].call_errors = 0;
	}
	return 0;
}

static int make_counters(struct text *t, pid_t pid)
{
	(void)pid;
	for (unsigned i = 0; i < CNT_count; i++)
		text_printf(t, "%s %lu %s\n", counter_name(i), counter_read(i), counter_text(i));
	for (unsigned v = 0; v < ARRAY_SIZE(cpus[0].traps); v++) {
		uint64_t sum = 0;

		for (unsigned c = 0; c < nr_cpus; c++)
			sum += READ_ONCE(cpus[c].traps[v]);
		if (sum)
			text_printf(t, "trap_%u %lu\n", v, sum);
	}
	return 0;
}

static int clear_counters(const char *word)
{
	if (strcmp(word, "clear") != 0)
		return -EINVAL;
	for (unsigned c = 0; c < nr_cpus; c++) {
		memset(cpus[c].counters, 0, sizeof(cpus[c].counters));
		memset(cpus[c].traps, 0, sizeof(cpus[c].traps));
	}
	return 0;
}

static int trace_command(const char *word)
{
	if (strcmp(word, "syscalls on") == 0 || strcmp(word, "1") == 0) {
		__atomic_or_fetch(&trace_syscalls, TRACE_SYSCALLS_RING, __ATOMIC_RELAXED);
	} else if (strcmp(word, "syscalls off") == 0 || strcmp(word, "0") == 0) {
		__atomic_and_fetch(&trace_syscalls, ~TRACE_SYSCALLS_RING, __ATOMIC_RELAXED);
	} else if (strcmp(word, "clear") == 0) {
		/* A kind that does not exist is not shown. */
		for (unsigned c = 0; c < nr_cpus; c++)
			for (unsigned i = 0; i < TRACE_RING; i++)
				cpus[c].trace_ring[i].kind = TR_count;
	} else {
		return -EINVAL;
	}
	return 0;
}

const struct procfs_entry procfs_system_files[] = {
	{.name = "processes", .mode = 0444, .make = make_processes},
	{.name = "meminfo", .mode = 0444, .make = make_meminfo},
	{.name = "uptime", .mode = 0444, .make = make_uptime},
	{.name = "loadavg", .mode = 0444, .make = make_loadavg},
	{.name = "stat", .mode = 0444, .make = make_system_stat},
	{.name = "cpuinfo", .mode = 0444, .make = make_cpuinfo},
	{.name = "version", .mode = 0444, .make = make_version},
	{.name = "cmdline", .mode = 0444, .make = make_cmdline},
	{.name = "mounts", .mode = 0444, .make = procfs_make_mounts},
	{.name = "filesystems", .mode = 0444, .make = make_filesystems},
	{.name = "partitions", .mode = 0444, .make = make_partitions},
	{.name = "diskstats", .mode = 0444, .make = make_diskstats},
	{.name = "devices", .mode = 0444, .make = make_devices},
	{.name = "machine", .mode = 0444, .make = make_machine},
	{.name = "hypercalls", .mode = 0644, .make = make_hypercalls, .command = clear_hypercalls},
	{.name = "counters", .mode = 0644, .make = make_counters, .command = clear_counters},
	{.name = "boot", .mode = 0644, .stream = record_marks, .command = record_mark_command},
	{.name = "boot.record", .mode = 0444, .stream = record_format},
	{.name = "trace", .mode = 0644, .stream = trace_format, .command = trace_command},
	{.name = "kmsg", .mode = 0444, .stream = kmsg_read},
	{.name = NULL},
};
