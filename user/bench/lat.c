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
 * POSIX: the same file, compiled for Linux, measures Linux, which has no such counters.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_DIRECT */
#endif
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define BATCHES 5
#define MAX_COUNTS 128

struct probe {
	const char *name;
	void (*setup)(void);
	void (*run)(unsigned n); /* do it @n times */
	unsigned batch;
	unsigned per_run; /* operations in one of the n */
	unsigned asleep;  /* nanoseconds that one of the n asks to sleep */
	enum { NO_DISK, READS, WRITES } disk;
};

/* What /proc/hypercalls or /proc/counters says: lines of "name count ...". */
struct counts {
	unsigned n;
	struct {
		char name[24];
		unsigned long count;
	} line[MAX_COUNTS];
};

enum output { FOR_PEOPLE, CSV, JSON };

static int fds[2], back[2], zero_fd;
static pid_t partner;
static char *area;
static char self_path[64];
static const char *disk_path;
static int may_write, disk_fd = -1;
static off_t disk_size;
static char block[PAGE] __attribute__((aligned(PAGE)));

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

static void run_null(unsigned n)
{
	while (n--)
		getppid();
}

static void setup_zero(void)
{
	zero_fd = open("/dev/zero", O_RDONLY);
	if (zero_fd < 0)
		err(2, "/dev/zero");
}

static void run_read(unsigned n)
{
	char c;

	while (n--)
		if (read(zero_fd, &c, 1) != 1)
			err(2, "read");
}

static void run_open(unsigned n)
{
	while (n--)
		close(open("/etc/passwd", O_RDONLY));
}

static void on_signal(int sig)
{
	(void)sig;
}

static void setup_signal(void)
{
	signal(SIGUSR1, on_signal);
}

static void run_signal(unsigned n)
{
	while (n--)
		kill(getpid(), SIGUSR1);
}

static void setup_pipe(void)
{
	if (pipe(fds))
		err(2, "pipe");
}

static void run_pipe(unsigned n)
{
	char c = 0;

	while (n--)
		if (write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
			err(2, "pipe");
}

static void setup_pingpong(void)
{
	char c;

	if (pipe(fds) || pipe(back))
		err(2, "pipe");
	partner = fork();
	if (partner < 0)
		err(2, "fork");
	if (partner == 0) {
		close(fds[1]);
		close(back[0]);
		while (read(fds[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(fds[0]);
	close(back[1]);
}

static void run_pingpong(unsigned n)
{
	char c = 0;

	while (n--)
		if (write(fds[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			err(2, "ping-pong");
}

static void wait_child(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		err(2, "child");
}

static void run_fork(unsigned n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		wait_child(pid);
	}
}

static void run_exec(unsigned n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(self_path, "lat", "--exit", (char *)NULL);
			_exit(127);
		}
		wait_child(pid);
	}
}

static void setup_area(void)
{
	area = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		err(2, "mmap");
}

static void run_fault(unsigned n)
{
	while (n--) {
		char *p = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			err(2, "mmap");
		for (int i = 0; i < 256; i++)
			p[i * PAGE] = 1;
		munmap(p, 256 * PAGE);
	}
}

static void run_cow(unsigned n)
{
	for (int i = 0; i < 256; i++)
		area[i * PAGE] = 1;
	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int i = 0; i < 256; i++)
				area[i * PAGE] = 2;
			_exit(0);
		}
		wait_child(pid);
	}
}

static void run_mmap(unsigned n)
{
	while (n--) {
		char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		p[0] = 1;
		munmap(p, 16 * PAGE);
	}
}

/*
 * Switches from one process to another and nothing else: two that do nothing but give way. Linux
 * means that seriously only between real-time processes.
 */
static void take_turns(int strictly)
{
#ifdef __linux__
	struct sched_param param = {.sched_priority = strictly};

	if (sched_setscheduler(0, strictly ? SCHED_FIFO : SCHED_OTHER, &param))
		warn("sched_setscheduler");
#else
	(void)strictly;
#endif
}

static void setup_switch(void)
{
	take_turns(1);
	partner = fork();
	if (partner < 0)
		err(2, "fork");
	if (partner == 0)
		for (;;)
			sched_yield();
}

static void run_switch(unsigned n)
{
	while (n--)
		sched_yield();
}

static void run_timer_set(unsigned n)
{
	struct itimerval far = {{0, 0}, {1000, 0}}, off = {{0, 0}, {0, 0}};

	while (n--)
		if (setitimer(ITIMER_REAL, &far, NULL) || setitimer(ITIMER_REAL, &off, NULL))
			err(2, "setitimer");
}

#define SLEEP_NS 200000

/* Linux by itself takes the liberty of being 50 us late. */
static void setup_timer_late(void)
{
#ifdef __linux__
	if (prctl(PR_SET_TIMERSLACK, 1))
		warn("prctl");
#endif
}

static void run_timer_late(unsigned n)
{
	struct timespec ts = {0, SLEEP_NS};

	while (n--)
		nanosleep(&ts, NULL);
}

static void setup_disk(void)
{
	disk_fd = open(disk_path, (may_write ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (disk_fd < 0)
		err(2, "%s", disk_path);
	disk_size = lseek(disk_fd, 0, SEEK_END);
	if (disk_size < PAGE)
		errx(2, "%s: smaller than one block", disk_path);
}

static void run_disk_read(unsigned n)
{
	for (off_t at = 0; n--; at = (at + PAGE) % (disk_size / PAGE * PAGE))
		if (pread(disk_fd, block, PAGE, at) != PAGE)
			err(2, "%s: read", disk_path);
}

static void run_disk_write(unsigned n)
{
	for (off_t at = 0; n--; at = (at + PAGE) % (disk_size / PAGE * PAGE))
		if (pwrite(disk_fd, block, PAGE, at) != PAGE)
			err(2, "%s: write", disk_path);
}

static const struct probe probes[] = {
	{"null-call", NULL, run_null, 1000, 1, 0, NO_DISK},
	{"read-1-byte", setup_zero, run_read, 500, 1, 0, NO_DISK},
	{"open-close", NULL, run_open, 200, 1, 0, NO_DISK},
	{"signal", setup_signal, run_signal, 200, 1, 0, NO_DISK},
	{"pipe-self", setup_pipe, run_pipe, 200, 1, 0, NO_DISK},
	{"pipe-ping-pong", setup_pingpong, run_pingpong, 200, 1, 0, NO_DISK},
	{"switch", setup_switch, run_switch, 200, 2, 0, NO_DISK}, /* there and back */
	{"fork-exit-wait", NULL, run_fork, 20, 1, 0, NO_DISK},
	{"fork-exec-wait", NULL, run_exec, 10, 1, 0, NO_DISK},
	{"page-fault", NULL, run_fault, 2, 256, 0, NO_DISK},
	{"mmap-munmap", NULL, run_mmap, 50, 1, 0, NO_DISK},
	{"fork-256-cow", setup_area, run_cow, 2, 1, 0, NO_DISK},
	{"timer-set", NULL, run_timer_set, 200, 1, 0, NO_DISK},
	{"timer-late", setup_timer_late, run_timer_late, 20, 1, SLEEP_NS, NO_DISK},
	{"disk-read-4k", setup_disk, run_disk_read, 50, 1, 0, READS},
	{"disk-write-4k", setup_disk, run_disk_write, 50, 1, 0, WRITES},
};

#define NR_PROBES (sizeof(probes) / sizeof(probes[0]))

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

static void end_partner(void)
{
	if (partner <= 0)
		return;
	kill(partner, SIGKILL);
	waitpid(partner, NULL, 0);
	partner = 0;
	take_turns(0);
}

static void measure(const struct probe *p, enum output form)
{
	double in_ticks[BATCHES], in_ns[BATCHES], waited[BATCHES];

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
	end_partner();
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
	for (size_t i = 0; i < NR_PROBES; i++)
		if (wanted(&probes[i], argv + optind))
			measure(&probes[i], form);
	return 0;
}
