/* SPDX-License-Identifier: MIT */
/*
 * lat: what the kernel's operations cost.
 *
 *   lat [-cj] [-d DISK] [-w] [name ...]
 *
 * Each probe is run in batches; the smallest batch is reported, divided by the number of operations
 * in it. The unit is the time-stamp counter: under QEMU's instruction counting (shift 0) one tick
 * is one instruction, hypervisor included; elsewhere it is the processor's clock. Beside it stand
 * the calls into the hypervisor per operation, from /proc/hypercalls: all, and those that are not
 * iret.
 *
 * -c prints "name,ticks,calls,calls_without_iret" lines for a program to read.
 * -j prints a JSON object a line: every batch in ticks and in nanoseconds, and what grew in
 *    /proc/hypercalls and /proc/counters, all per operation.
 * -d DISK adds the probes of a disk, 4 KiB at a time past the system's caches; -w those that write
 *    too, which destroys what the disk holds.
 *
 * Of a probe that waits (timer-late) the time that it asked for is taken off; the JSON has for it,
 * and for disks, also the ticks in which the kernel waited and nobody worked. The program is plain
 * POSIX: the same files, compiled for Linux, measure Linux, which has no such counters. The probes
 * themselves are in lat/.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "lat/lat.h"

#define BATCHES 5
#define MAX_COUNTS 128

/* What /proc/hypercalls or /proc/counters says: lines of "name count ...". */
struct counts {
	unsigned n;
	struct {
		char name[24];
		unsigned long count;
	} line[MAX_COUNTS];
};

enum output { FOR_PEOPLE, CSV, JSON };

char self_path[64];
const char *disk_path;
int may_write;
const struct probe *now;

static unsigned long ticks(void)
{
	unsigned lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (unsigned long)hi << 32 | lo;
}

static uint64_t nanoseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Leaves @c empty where there is no such file. */
static void read_counts(const char *path, struct counts *c, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	char *line, *rest = text;

	c->n = 0;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	text[n] = 0;
	while ((line = strsep(&rest, "\n")) && c->n < MAX_COUNTS)
		if (*line != '#' &&
		    sscanf(line, "%23s %lu", c->line[c->n].name, &c->line[c->n].count) == 2)
			c->n++;
}

static unsigned long count_of(const struct counts *c, const char *name)
{
	for (unsigned i = 0; i < c->n; i++)
		if (strcmp(c->line[i].name, name) == 0)
			return c->line[i].count;
	return 0;
}

/*
 * Each three times: before nothing, before the probe, after it. They are not there while batches
 * are timed: what a fork costs depends on the pages that the process has touched.
 */
struct record {
	struct counts calls[3], counters[3];
	char text[8192];
};

static struct record *new_record(void)
{
	struct record *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (r == MAP_FAILED)
		err(2, "mmap");
	return r;
}

static void read_all_counts(struct record *r, unsigned i)
{
	read_counts("/proc/hypercalls", &r->calls[i], r->text, sizeof(r->text));
	read_counts("/proc/counters", &r->counters[i], r->text, sizeof(r->text));
}

/* How much the count has grown while the probe ran, without what reading the counts itself adds. */
static double growth(const struct counts *c, const char *name, double ops)
{
	unsigned long start = count_of(&c[0], name), middle = count_of(&c[1], name);

	return ((double)(count_of(&c[2], name) - middle) - (double)(middle - start)) / ops;
}

static void print_growth(const char *title, const struct counts *c, double ops)
{
	const char *comma = "";

	printf(",\"%s\":{", title);
	for (unsigned i = 0; i < c[2].n; i++) {
		double d = growth(c, c[2].line[i].name, ops);

		if (d < 0.005)
			continue;
		printf("%s\"%s\":%.2f", comma, c[2].line[i].name, d);
		comma = ",";
	}
	printf("}");
}

static void print_values(const char *title, const double *values)
{
	printf(",\"%s\":[", title);
	for (int i = 0; i < BATCHES; i++)
		printf("%s%.1f", i ? "," : "", values[i]);
	printf("]");
}

static void print_json(const struct probe *p, const struct record *r, const double *in_ticks,
		       const double *in_ns, const double *waited)
{
	double ops = (double)p->batch * p->per_run;

	printf("{\"name\":\"%s\",\"operations\":%.0f", p->name, ops);
	print_values("ticks", in_ticks);
	print_values("ns", in_ns);
	print_values("waited", waited);
	print_growth("calls", r->calls, ops);
	print_growth("counters", r->counters, ops);
	printf("}\n");
}

static void print_line(const struct probe *p, const struct record *r, const double *in_ticks,
		       enum output form)
{
	double ops = (double)p->batch * p->per_run, best = in_ticks[0];
	double total = growth(r->calls, "total", ops);

	for (int i = 1; i < BATCHES; i++)
		if (in_ticks[i] < best)
			best = in_ticks[i];
	printf(form == CSV ? "%s,%.0f,%.2f,%.2f\n" : "%-16s %12.0f %10.2f %10.2f\n", p->name, best,
	       total, total - growth(r->calls, "iret", ops));
}

/* What the kernel says it has waited so far, in ticks; 0 if it does not say. */
static unsigned long idle_ticks(void)
{
	char text[4096];
	unsigned long found = 0;
	int fd = open("/proc/counters", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *line;

	if (fd >= 0)
		close(fd);
	if (n > 0) {
		text[n] = 0;
		line = strstr(text, "\nidle_ticks ");
		if (line)
			found = strtoul(line + strlen("\nidle_ticks "), NULL, 10);
	}
	return found;
}

/* One batch, per operation. */
static void run_batch(const struct probe *p, double *in_ticks, double *in_ns, double *waited)
{
	unsigned long idle = p->disk != NO_DISK || p->asleep ? idle_ticks() : 0;
	double ops = (double)p->batch * p->per_run;
	uint64_t start_ns = nanoseconds();
	unsigned long start = ticks();

	p->run(p->batch);

	double t = (double)(ticks() - start), ns = (double)(nanoseconds() - start_ns);
	double asleep = (double)p->asleep * p->batch;

	*in_ticks = (ns > 0 ? t - t * asleep / ns : t) / ops;
	*in_ns = (ns - asleep) / ops;
	*waited = idle ? (double)(idle_ticks() - idle) / ops : 0;
}

static void measure(const struct probe *p, enum output form)
{
	double in_ticks[BATCHES], in_ns[BATCHES], waited[BATCHES];

	now = p;
	if (p->setup)
		p->setup();
	p->run(p->batch / 10 + 1);
	for (int i = 0; i < BATCHES; i++)
		run_batch(p, &in_ticks[i], &in_ns[i], &waited[i]);

	struct record *r = new_record();

	memset(r, 0, sizeof(*r));
	read_all_counts(r, 0);
	read_all_counts(r, 1);
	p->run(p->batch);
	read_all_counts(r, 2);
	if (p->end)
		p->end();
	if (form == JSON)
		print_json(p, r, in_ticks, in_ns, waited);
	else
		print_line(p, r, in_ticks, form);
	fflush(stdout);
	munmap(r, sizeof(*r));
}

static int wanted(const struct probe *p, char **names)
{
	if (p->disk != NO_DISK && (!disk_path || (p->disk == WRITES && !may_write)))
		return 0;
	if (!*names)
		return 1;
	for (; *names; names++)
		if (strcmp(*names, p->name) == 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	enum output form = FOR_PEOPLE;
	int c;

	if (argc > 1 && strcmp(argv[1], "--exit") == 0)
		return 0;
	snprintf(self_path, sizeof(self_path), "%s",
		 strchr(argv[0], '/') ? argv[0] : "/usr/bench/lat");
	while ((c = getopt(argc, argv, "cjd:w")) != -1)
		switch (c) {
		case 'c':
			form = CSV;
			break;
		case 'j':
			form = JSON;
			break;
		case 'd':
			disk_path = optarg;
			break;
		case 'w':
			may_write = 1;
			break;
		default:
			errx(2, "usage: lat [-cj] [-d DISK] [-w] [name ...]");
		}
	if (form == FOR_PEOPLE)
		printf("%-16s %12s %10s %10s\n", "operation", "ticks", "calls", "not iret");
	for (size_t i = 0; probes[i].name; i++)
		if (wanted(&probes[i], argv + optind))
			measure(&probes[i], form);
	return 0;
}
